namespace RaftQueue.Jobs;

/// <summary>The names of <see cref="JobReason"/> in the HTTP interface.</summary>
public static class JobReasons
{
    public static string Text(this JobReason reason) => reason switch
    {
        JobReason.Expired => "expired",
        JobReason.Attempts => "attempts",
        JobReason.Nacked => "nacked",
        _ => "",
    };
}
