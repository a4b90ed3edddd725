using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>One lease that a client was told of. Times are the cluster's, Unix ms.</summary>
public sealed record Grant(JobId Job, ulong Fence, string Queue, string Payload, long RunAtMs, long Attempt, long ExpiresAtMs, LogIndex Index);
