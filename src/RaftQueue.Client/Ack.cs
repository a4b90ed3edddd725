namespace RaftQueue.Client;

/// <summary>A job is done.</summary>
public sealed record Ack(string Token, JsonText? Result = null);
