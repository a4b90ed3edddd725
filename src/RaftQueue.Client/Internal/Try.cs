namespace RaftQueue.Client;

/// <summary>What came of sending a request once.</summary>
internal sealed record Try(Uri Server)
{
    public Answer? Answer { get; init; }

    public Problem? Problem { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public string? Failure { get; init; }

    public Exception? Exception { get; init; }

    /// <summary>Without an answer: the request may have reached the server.</summary>
    public bool WasConnected { get; init; }

    /// <summary>
    /// It may have taken effect: no answer, a reply without a code, or one that says so. A 4xx or 503 with a code means that
    /// nothing was applied.
    /// </summary>
    public bool IsUnknown => Answer is not { } answer
        ? WasConnected
        : Problem?.Code is null || (answer.Status >= 500 && answer.Status != 503);

    /// <summary>Another try would be answered in the same way.</summary>
    public bool IsFinal => Answer is { Status: < 500 };

    public static Try Broken(Uri server, string failure, Exception exception, bool connected) =>
        new(server) { Failure = failure, Exception = exception, WasConnected = connected };

    /// <summary>The exception to end with.</summary>
    /// <param name="unknown">This or an earlier try of the same request may have taken effect.</param>
    public RaftQueueException Error(bool unknown)
    {
        string code = Problem?.Code ?? (unknown ? "outcome_unknown" : Answer is null ? "unreachable" : "not_understood");
        string message = Problem?.Detail ?? Problem?.Title
            ?? (Answer is { } answer ? $"The server answered with status {answer.Status} and no code." : Failure!);
        foreach (RequestError error in Problem?.Errors ?? [])
        {
            // The server's detail begins with the first one.
            string one = $"{error.Pointer}: {error.Detail}";
            if (!message.Contains(one, StringComparison.Ordinal)) message += " " + one;
        }

        return new RaftQueueException(code, $"{Server}: {message}", Exception)
        {
            Status = Answer?.Status ?? 0,
            IsOutcomeUnknown = unknown,
            RetryAfter = RetryAfter,
            JobId = Problem?.JobId,
            Errors = Problem?.Errors ?? [],
        };
    }
}
