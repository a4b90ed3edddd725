namespace RaftQueue.Checkers.Model;

/// <summary>Settings of a queue; null is not set. <see cref="Defaults"/> by name.</summary>
public sealed class ModelSettings
{
    public static readonly string[] DefaultNames = ["priority", "delayMs", "maxAttempts", "keepMs", "leaseMs", "expireAfterMs"];

    public long? KeepFinished { get; set; }
    public bool UniqueBy { get; set; }
    public Dictionary<string, long> Defaults { get; } = [];

    public long? Default(string name) => Defaults.TryGetValue(name, out long value) ? value : null;
}
