namespace RaftQueue.Jobs.State;

/// <summary>One remembered attempt; its strings are in the buffer of the <see cref="RunData"/> that holds it.</summary>
internal struct RunAttempt
{
    public uint Number;
    public long StartedAt;

    /// <summary>Meaningless while <see cref="Outcome"/> is <see cref="AttemptOutcome.Running"/>.</summary>
    public long EndedAt;
    public AttemptOutcome Outcome;
    public ByteRange Worker;
    public ByteRange Error;
}
