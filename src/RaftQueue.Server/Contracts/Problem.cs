namespace RaftQueue.Server.Contracts;

/// <summary>An error reply (RFC 9457), before it is written.</summary>
/// <param name="Code">Gives status and title.</param>
/// <param name="Detail">What is wrong and what to do.</param>
public sealed record Problem(ProblemCode Code, string Detail)
{
    /// <summary>When to come again, for 429 and 503; the default is a second.</summary>
    public long? RetryAfterMs { get; init; }

    public IReadOnlyList<RequestError> Errors { get; init; } = [];

    /// <summary>The job in the way (<c>unique_conflict</c>).</summary>
    public string? JobId { get; init; }

    /// <summary>Bad input: the first error stands in <see cref="Detail"/> as well.</summary>
    public static Problem Invalid(RequestErrors errors)
    {
        RequestError first = errors.Items[0];
        string where = first.Pointer.Length == 0 ? "The body" : first.Pointer;
        string more = errors.Count > 1 ? $" ({errors.Count - 1} more)" : "";
        return new Problem(errors.Code, $"{where}: {first.Detail}{more}") { Errors = [.. errors.Items] };
    }

    /// <summary>Bad input outside the body, or about all of it.</summary>
    public static Problem Invalid(string detail) => new(ProblemCode.InvalidRequest, detail);

    /// <summary>Bad input at one place.</summary>
    public static Problem Invalid(string pointer, string detail) =>
        new(ProblemCode.InvalidRequest, detail) { Errors = [new RequestError(pointer, detail)] };

    /// <summary>A part of the interface that this version does not have.</summary>
    public static Problem NotYet(string what) => Invalid($"{what} is not available yet in this version.");
}
