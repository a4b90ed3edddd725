namespace RaftQueue.Server.Contracts;

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Pointer">JSON pointer into the body; empty for the body itself; <c>?name</c> for a query parameter.</param>
/// <param name="Detail">What it may be.</param>
/// <param name="JobId">The job that is in the way, where there is one.</param>
public sealed record RequestError(string Pointer, string Detail, string? JobId = null);
