namespace RaftQueue.Client;

/// <summary>A request that may be repeated.</summary>
internal sealed record Call(HttpMethod Method, string Path)
{
    public byte[]? Body { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>How long the server was asked to wait before it answers.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Nothing can happen by it, so its outcome is never in doubt.</summary>
    public bool IsRead => Method == HttpMethod.Get;
}
