using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Of one of the node's loops: the longest time in microseconds that it was at each thing, as far as it ever was.</summary>
public sealed record LoopStatus(string Name, IReadOnlyList<(LoopPhase At, long Microseconds)> Longest);
