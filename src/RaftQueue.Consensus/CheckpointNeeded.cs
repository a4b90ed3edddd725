using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The leader's log starts behind ours: fetch a checkpoint at or above <see cref="Index"/> from <see cref="From"/>.
/// </summary>
public readonly record struct CheckpointNeeded(NodeId From, LogIndex Index);
