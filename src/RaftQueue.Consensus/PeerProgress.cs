using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// A follower as its leader sees it, for display. <see cref="LastHeardMs"/> is monotonic; -1 before the first reply.
/// <see cref="IsUnfit"/>: its log's disk hangs or is full, so it should not lead.
/// </summary>
public readonly record struct PeerProgress(
    NodeId Id,
    Incarnation Incarnation,
    LogIndex Match,
    LogIndex Next,
    ProgressState State,
    long LastHeardMs,
    bool IsLearner,
    long InflightBytes,
    bool IsUnfit);
