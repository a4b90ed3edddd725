namespace RaftQueue.Client;

/// <summary>How far a node is with getting damaged pages of its own state back from others.</summary>
public sealed record PageMending
{
    /// <summary><c>fetching</c> or <c>waiting</c>.</summary>
    public string? Phase { get; init; }

    /// <summary>The node that is asked.</summary>
    public int? From { get; init; }

    public long PagesDone { get; init; }

    /// <summary>Pages that were found damaged, those done included.</summary>
    public long PagesNeeded { get; init; }

    public long Bytes { get; init; }
}
