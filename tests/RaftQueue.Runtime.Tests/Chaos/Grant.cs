using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime.Tests.Chaos;

/// <summary>One lease that a client was told of. Times are the cluster's, Unix ms.</summary>
internal sealed record Grant(JobId Job, ulong Fence, string Queue, string Payload, long RunAtMs, long Attempt, long ExpiresAtMs, LogIndex Index);
