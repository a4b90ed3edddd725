using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>What a node must never forget about a shard: the newest term it has seen and whom it voted for in it.</summary>
public readonly record struct HardState(Term Term, NodeId Vote);
