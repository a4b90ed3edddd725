using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>Settings of a queue; null is not set.</summary>
public sealed class ModelSettings
{
    /// <summary>The defaults that are numbers.</summary>
    public static readonly string[] DefaultNames =
        ["priority", "delayMs", "maxAttempts", "keepMs", "keepDeadMs", "leaseMs", "expireAfterMs"];

    private ModelMap _map = new();
    private ModelMap? _defaults;

    public long? KeepFinished { get; private set; }

    /// <summary>The only pointer that the model knows is /k.</summary>
    public bool UniqueBy { get; private set; }

    public RetryPolicy? Retry { get; private set; }

    public long? Default(string name) => _defaults?[name] as long?;

    public string? DefaultText(string name) => _defaults?[name] as string;

    public string[]? Tags => _defaults?["tags"] as string[];

    public string[]? Headers => (_defaults?["headers"] as ModelMap)?.Pairs;

    /// <summary>A PUT sets everything, a PATCH what it names.</summary>
    public void Change(bool replaceAll, ModelMap patch)
    {
        _map = ModelMap.Merge(replaceAll ? null : _map, patch);
        _defaults = _map["defaults"] as ModelMap;
        KeepFinished = _map["keepFinished"] as long?;
        UniqueBy = _map["uniqueBy"] is string[] { Length: > 0 } pointers && pointers is ["/k"];
        Retry = _defaults?["retry"] is ModelMap retry ? Policy(retry) : null;
    }

    /// <summary>Empty when nothing is set.</summary>
    public override string ToString() => Text(_map);

    internal static string Text(ModelMap map) => map.IsEmpty ? "" : $" settings {map}";

    /// <summary>What is left out counts as in the built-in policy.</summary>
    private static RetryPolicy Policy(ModelMap map) => ModelBackOff.BuiltIn with
    {
        Backoff = map["backoff"] switch
        {
            "linear" => BackoffKind.Linear,
            "fixed" => BackoffKind.Fixed,
            _ => BackoffKind.Exponential,
        },
        BaseMs = map["baseMs"] as long? ?? ModelBackOff.BuiltIn.BaseMs,
        MaxMs = map["maxMs"] as long? ?? ModelBackOff.BuiltIn.MaxMs,
        JitterPpm = (int)(map["jitterPpm"] as long? ?? ModelBackOff.BuiltIn.JitterPpm),
    };
}
