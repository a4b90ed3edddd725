using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A lease request that waits on the leader.</summary>
internal sealed class LeaseWaiter
{
    public required NodeId OriginNode { get; init; }

    public required Incarnation Origin { get; init; }

    public required ulong Number { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    public required string[] Queues { get; init; }

    public required int MaxJobs { get; init; }

    public required long PullAheadMs { get; init; }

    /// <summary>Under an idempotency key: it may be the repeat of one that was granted.</summary>
    public required bool IsKeyed { get; init; }

    public required long WaitUntilMicroseconds { get; init; }

    /// <summary>Its lease command is on its way through the log.</summary>
    public bool InFlight { get; set; }

    /// <summary>The queue whose jobs it counts on while in flight.</summary>
    public string? InFlightQueue { get; set; }

    /// <summary>A confirmation round for its empty answer is under way.</summary>
    public bool Confirming { get; set; }

    /// <summary>Its caller is gone; its node still wants an answer.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Answered or forgotten.</summary>
    public bool IsOver { get; set; }
}
