namespace RaftQueue.Server.Hosting;

/// <summary>What the HTTP listener allows before anything is parsed.</summary>
public sealed record HttpLimits
{
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>A body that comes slower than this, after <see cref="BodyGraceMs"/>, is given up.</summary>
    public int MinBodyBytesPerSecond { get; init; } = 240;

    public int BodyGraceMs { get; init; } = 5000;

    /// <summary>A body of which nothing more comes for so long is given up, however much came before.</summary>
    public int BodySilenceMs { get; init; } = 30_000;

    /// <summary>How long a connection may stay without a request.</summary>
    public int KeepAliveMs { get; init; } = 130_000;

    /// <summary>How long the head of a request may take.</summary>
    public int HeadersTimeoutMs { get; init; } = 10_000;

    /// <summary>Bytes of bodies that are held at one time; beyond it new work is refused.</summary>
    public int MaxBodiesMiB { get; init; } = 256;
}
