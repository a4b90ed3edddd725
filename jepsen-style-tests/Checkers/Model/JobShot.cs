using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>Everything a view tells of a job, in plain types. The slot is not part of it: a model cannot know it.</summary>
public sealed record JobShot
{
    public ulong Sequence { get; init; }
    public string Queue { get; init; } = "";
    public string? Type { get; init; }
    public JobState State { get; init; }
    public JobReason Reason { get; init; }
    public int Priority { get; init; }
    public long Attempt { get; init; }
    public long MaxAttempts { get; init; }
    public long Runs { get; init; }
    public long Version { get; init; }
    public long CreatedAt { get; init; }
    public long RunAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public string? UniqueKey { get; init; }
    public string? Tags { get; init; }
    public string? Headers { get; init; }
    public PayloadKind PayloadKind { get; init; }
    public string? Payload { get; init; }
    public string? ContentType { get; init; }
    public string? Result { get; init; }
    public string? Progress { get; init; }
    public string? Error { get; init; }
    public bool CancelRequested { get; init; }
    public string Attempts { get; init; } = "";
    public string? Lease { get; init; }

}
