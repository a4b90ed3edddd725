namespace RaftQueue.Jobs.Tests.Model;

/// <summary>
/// Numbers from which a step is made: what it does, how much later than the one before, whether it shares its entry, and the
/// numbers that its choices are drawn from. Any numbers make a step, so that shrinking never leaves the space.
/// </summary>
public sealed record RawStep(int Verb, int LaterMs, bool SameEntry, int Seed);
