namespace RaftQueue.Jobs;

/// <summary>The names of <see cref="AttemptOutcome"/> in the HTTP interface.</summary>
public static class AttemptOutcomes
{
    public static string Text(this AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Succeeded => "succeeded",
        AttemptOutcome.Failed => "failed",
        AttemptOutcome.Released => "released",
        AttemptOutcome.Expired => "expired",
        AttemptOutcome.Rescheduled => "rescheduled",
        AttemptOutcome.Cancelled => "cancelled",
        _ => "running",
    };
}
