using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>At most one job of a queue holds a key.</summary>
/// <param name="Key">The key, at most 256 bytes.</param>
public sealed record UniqueOptions(string Key)
{
    /// <summary>How long the job holds the key; absent means until it is finished.</summary>
    public UniqueUntil? Until { get; init; }

    /// <summary>The length of the window when <see cref="Until"/> is <see cref="UniqueUntil.Window"/>.</summary>
    [JsonPropertyName("windowMs")]
    public TimeSpan? Window { get; init; }

    /// <summary>What to do while another job holds the key; absent means to return it.</summary>
    public UniqueConflict? OnConflict { get; init; }
}
