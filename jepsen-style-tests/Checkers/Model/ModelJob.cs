using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>A job as the interface's page describes it.</summary>
public sealed class ModelJob
{
    public ulong Sequence { get; init; }

    public ModelQueue Queue { get; init; } = null!;

    public PlainJob Spec { get; set; } = new();

    /// <summary>The job's own policy, else its queue's when it was made, else the built-in one.</summary>
    public RetryPolicy Retry { get; init; } = ModelBackOff.BuiltIn;

    public string? Payload { get; set; }

    public PayloadKind PayloadKind { get; set; }

    public string? ContentType { get; set; }

    public int Priority { get; set; }

    public long MaxAttempts { get; init; }

    public string? Key { get; init; }

    public bool HoldsKey { get; set; }

    public long? WindowEnd { get; set; }

    public JobState State { get; set; }

    public JobReason Reason { get; set; }

    public long Attempt { get; set; }

    public long Runs { get; set; }

    public long Version { get; set; } = 1;

    public long CreatedAt { get; init; }

    public long RunAt { get; set; }

    public long? StartedAt { get; set; }

    public long? FinishedAt { get; set; }

    public bool Retrying { get; set; }

    public bool Forgotten { get; set; }

    public long? DiesAt { get; set; }

    public bool StartedThisRun { get; set; }

    public long ForgetAt { get; set; }

    /// <summary>Null: what counts for all queues when it finishes.</summary>
    public long? KeepMs { get; init; }

    public ulong Fence { get; set; }

    public string? EndedBy { get; set; }

    public string? Worker { get; set; }

    public long LeaseEnd { get; set; }

    public bool CancelRequested { get; set; }

    public string? Result { get; set; }

    public string? Progress { get; set; }

    public List<ModelAttempt> Attempts { get; } = [];

    /// <summary>The times for which the model's calendar knows this job, by kind; <see cref="long.MaxValue"/> for none.</summary>
    internal long[] Booked { get; } = [.. Enumerable.Repeat(long.MaxValue, JobModel.TimerKinds)];

    /// <summary>As what its queue counts it.</summary>
    internal JobState? Counted { get; set; }

    /// <summary>When it is to run as its queue's lines of waiting jobs know it.</summary>
    internal (long At, bool Retrying)? LinedUp { get; set; }

    /// <summary>Its place among the ready or finished jobs of its queue.</summary>
    internal LinkedListNode<ModelJob> Place { get; }

    public ModelJob() => Place = new LinkedListNode<ModelJob>(this);

    public JobShot Shot(bool withPayload) => new()
    {
        Sequence = Sequence,
        Queue = Queue.Name,
        Type = Spec.Type,
        State = State,
        Reason = Reason,
        Priority = Priority,
        Attempt = Attempt,
        MaxAttempts = MaxAttempts,
        Runs = Runs,
        Version = Version,
        CreatedAt = CreatedAt,
        RunAt = RunAt,
        StartedAt = StartedAt,
        FinishedAt = FinishedAt,
        UniqueKey = Key,
        Tags = withPayload ? Shots.Joined(Spec.Tags) : null,
        Headers = withPayload ? Shots.JoinedPairs(Spec.Headers) : null,
        PayloadKind = PayloadKind,
        Payload = withPayload ? Payload : null,
        ContentType = ContentType,
        Result = Result,
        Progress = Progress,
        Error = Error(),
        CancelRequested = CancelRequested,
        Attempts = string.Join(";", Attempts.TakeLast(10).Select(a =>
            Shots.Attempt(a.Number, a.Worker, a.StartedAt, a.EndedAt, a.Outcome, a.Error))),
        Lease = State == JobState.Leased ? $"{Worker}/{Fence}/{LeaseEnd}" : null,
    };

    private string? Error() => Attempts.TakeLast(10).Reverse()
        .TakeWhile(a => a.Outcome is not (AttemptOutcome.Succeeded or AttemptOutcome.Rescheduled))
        .Select(a => a.Error).FirstOrDefault(e => e is not null);
}
