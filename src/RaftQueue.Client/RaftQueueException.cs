namespace RaftQueue.Client;

/// <summary>
/// A request that did not succeed. <see cref="IsOutcomeUnknown"/> tells whether it may have taken effect all the same;
/// when it is false, nothing was applied.
/// </summary>
public sealed class RaftQueueException : Exception
{
    public RaftQueueException(string code, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentNullException.ThrowIfNull(code);
        Code = code;
    }

    /// <summary>
    /// The server's stable code (<c>queue_full</c>, <c>unique_conflict</c> …); <c>outcome_unknown</c> when it is open what happened,
    /// <c>unreachable</c> when no server could be connected to.
    /// </summary>
    public string Code { get; }

    /// <summary>The HTTP status of the last answer; 0 when there was none.</summary>
    public int Status { get; init; }

    /// <summary>The request may have taken effect, or may still do so.</summary>
    public bool IsOutcomeUnknown { get; init; }

    /// <summary>When the server asked to be left alone until.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>For <c>unique_conflict</c>: the job that holds the key.</summary>
    public string? JobId { get; init; }

    /// <summary>For <c>invalid_request</c>: what is wrong where.</summary>
    public IReadOnlyList<RequestError> Errors { get; init; } = [];
}
