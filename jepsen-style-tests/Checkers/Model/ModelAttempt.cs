using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

public sealed class ModelAttempt
{
    public long Number { get; init; }

    public string? Worker { get; init; }

    public long StartedAt { get; init; }

    public long? EndedAt { get; set; }

    public AttemptOutcome Outcome { get; set; }

    public string? Error { get; set; }
}
