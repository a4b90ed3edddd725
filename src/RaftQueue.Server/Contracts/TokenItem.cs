using RaftQueue.Primitives;

namespace RaftQueue.Server.Contracts;

/// <summary>One token of a request, in the order of the request.</summary>
/// <param name="Start">Where the token's text begins in <see cref="TokensRequest.Texts"/>.</param>
/// <param name="Length">Bytes of the text.</param>
/// <param name="Shard">Where it goes.</param>
/// <param name="Row">Its place among those that go to this shard; -1 when it goes nowhere.</param>
/// <param name="Refusal">Why it goes nowhere; null then means that it is no token and so was never given out.</param>
public readonly record struct TokenItem(int Start, int Length, ShardId Shard, int Row, Problem? Refusal);
