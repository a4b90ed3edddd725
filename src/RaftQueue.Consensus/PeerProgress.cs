using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// A follower as its leader sees it, for display. <see cref="LastHeardMs"/> is monotonic; -1 before the first reply.
/// </summary>
public readonly record struct PeerProgress(
    NodeId Id,
    Incarnation Incarnation,
    LogIndex Match,
    LogIndex Next,
    ProgressState State,
    long LastHeardMs,
    bool IsLearner,
    long InflightBytes);
