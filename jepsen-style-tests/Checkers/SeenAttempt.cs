using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>An attempt at a job as a read showed it.</summary>
public sealed record SeenAttempt(string Worker, AttemptOutcome Outcome);
