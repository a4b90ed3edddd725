namespace RaftQueue.Client;

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Pointer">A JSON pointer into the request.</param>
/// <param name="Detail">What is wrong there.</param>
public sealed record RequestError(string Pointer, string Detail);
