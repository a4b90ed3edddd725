using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>What a call says of one lease. Each verb has fields of its own; the others are left out.</summary>
public sealed record ModelItem(LeaseToken Token)
{
    /// <summary>The result of an ack, the error of a nack, the progress of an extend.</summary>
    public string? Text { get; init; }

    public long? DelayMs { get; init; }

    /// <summary>Reschedules: Unix ms.</summary>
    public long? RunAtMs { get; init; }

    /// <summary>Extends.</summary>
    public long LeaseMs { get; init; }

    /// <summary>Nacks.</summary>
    public bool Dead { get; init; }

    /// <summary>Reschedules: null when the payload stays.</summary>
    public PayloadKind? PayloadKind { get; init; }

    public string? Payload { get; init; }

    public string? ContentType { get; init; }

    /// <summary>Reschedules: null when it stays.</summary>
    public int? Priority { get; init; }
}
