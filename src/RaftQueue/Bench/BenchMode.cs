namespace RaftQueue.Bench;

/// <summary>What the connections of a run do.</summary>
internal enum BenchMode
{
    /// <summary>Enqueue only.</summary>
    Enqueue,

    /// <summary>Enqueue, lease and acknowledge, until nothing is left.</summary>
    Cycle,

    /// <summary>Lease what is due, or will be soon, and schedule the same jobs again.</summary>
    Reschedule,
}
