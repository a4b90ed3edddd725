namespace RaftQueue.Jobs;

/// <summary>What is common to several states.</summary>
public static class JobStates
{
    /// <summary>How many states there are, and so how many counters a queue has.</summary>
    public const int Count = 7;

    /// <summary>Nothing happens to it any more unless somebody asks for it.</summary>
    public static bool IsFinished(this JobState state) => state is JobState.Succeeded or JobState.Dead or JobState.Cancelled;

    /// <summary>The name in the HTTP interface.</summary>
    public static string Text(this JobState state) => state switch
    {
        JobState.Scheduled => "scheduled",
        JobState.Ready => "ready",
        JobState.Leased => "leased",
        JobState.Succeeded => "succeeded",
        JobState.Dead => "dead",
        JobState.Cancelled => "cancelled",
        _ => "blocked",
    };
}
