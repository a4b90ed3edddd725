using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>One lease that a client was told of. Times are the cluster's, Unix ms; <see cref="LeaseMs"/> is what was granted.</summary>
public sealed record Grant(
    JobId Job, ulong Fence, string Queue, string Payload, long RunAtMs, long Attempt, long Version, long ExpiresAtMs, long LeaseMs);
