namespace RaftQueue.Failover;

/// <summary>An enqueue that was answered with 201: when it was sent and answered, in ticks of the stopwatch, and its job.</summary>
internal readonly record struct Confirmation(long Sent, long Answered, string Job);
