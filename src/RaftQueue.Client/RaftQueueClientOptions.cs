namespace RaftQueue.Client;

/// <summary>Where the servers are and how patient the client is.</summary>
public sealed record RaftQueueClientOptions
{
    /// <summary>The nodes' HTTP addresses; any of them serves any request.</summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>A bearer token, where the cluster asks for one.</summary>
    public string? Token { get; init; }

    /// <summary>How long one try may take, beyond the time that the request asks the server to wait.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a call repeats what failed before it gives up.</summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The pause after the first failed round over the servers; it doubles from round to round.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between two tries, unless the server asks for more.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The transport; absent means connections of the client's own, straight to the servers. A given one is not disposed.
    /// </summary>
    public HttpMessageHandler? Handler { get; init; }
}
