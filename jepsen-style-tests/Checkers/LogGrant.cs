using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>A lease as the log has it, whoever was told of it. Stamps are the cluster's time, Unix ms.</summary>
public sealed class LogGrant
{
    public required JobId Job { get; init; }

    public required ulong Fence { get; init; }

    public required LogIndex Index { get; init; }

    public required long StampMs { get; init; }

    public required string Worker { get; init; }

    /// <summary>The node that asked, and its number of the request.</summary>
    public required Incarnation Origin { get; init; }

    public required ulong Number { get; init; }

    /// <summary>When the job was to run, Unix ms.</summary>
    public required long RunAtMs { get; init; }

    /// <summary>The client's call, unless it was another's.</summary>
    public Operation? Call { get; init; }

    /// <summary>What ended it: a verb, or "expiry"; null while it lasts.</summary>
    public string? EndedBy { get; set; }

    public LogIndex EndIndex { get; set; }

    public long EndStampMs { get; set; }

    public override string ToString() => $"lease {Fence} of {Job} by {Worker} at {Index}, ended by {EndedBy} at {EndIndex}";
}
