namespace RaftQueue.Client;

/// <summary>How far a node is with fetching from another what it lacks of the state.</summary>
public sealed record StateTransfer
{
    /// <summary><c>verifying</c>, <c>comparing</c>, <c>fetching</c>, <c>waiting</c> or <c>installing</c>.</summary>
    public string? Phase { get; init; }

    /// <summary>The node that is asked.</summary>
    public int? From { get; init; }

    /// <summary>The log index of the state; 0 before it is known.</summary>
    public long Index { get; init; }

    public long PagesDone { get; init; }

    /// <summary>Pages that differ, as far as they are known.</summary>
    public long PagesNeeded { get; init; }

    public long Bytes { get; init; }
}
