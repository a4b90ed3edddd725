using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>Settings of queues: all that a queue may have by now, whole or changed in parts.</summary>
internal sealed partial class ClientRequests
{
    private static readonly string[] Backoffs = ["exponential", "linear", "fixed"];

    private ClientCall PutQueue(string queue, string? key)
    {
        Operation operation = New(OperationKind.PutQueue, queue, key: key);
        var patch = new SettingsPatch
        {
            ReplaceAll = OneIn(3),
            KeepFinished = (OneIn(3), OneIn(2) ? null : _random.NextBelow(30)),
            UniqueBy = (OneIn(3), OneIn(2)),
            DefaultsNil = OneIn(10),
        };
        if (!patch.DefaultsNil) patch = patch with { Defaults = NumberDefaults(), OtherDefaults = OtherDefaults() };
        operation.ExpireAfterMs = patch.Defaults.Find(each => each.Name == "expireAfterMs").Value;
        return Submit(operation, ClientCommands.PutQueue(operation, patch));
    }

    private List<(string Name, long? Value)> NumberDefaults()
    {
        var defaults = new List<(string, long?)>();
        void Add(int oneIn, int nilOneIn, string name, long least, long spread)
        {
            if (OneIn(oneIn)) defaults.Add((name, OneIn(nilOneIn) ? null : least + _random.NextBelow(spread)));
        }

        Add(3, 3, "priority", 0, JobLimits.MaxPriority + 1);
        Add(4, 2, "delayMs", 0, 500);
        Add(4, 2, "leaseMs", 200, 3_000);
        Add(6, 2, "maxAttempts", 1, 9);
        Add(6, 2, "keepMs", 0, 10_000);
        Add(6, 2, "keepDeadMs", 0, 10_000);
        Add(8, 2, "expireAfterMs", 500, 10_000);
        return defaults;
    }

    private List<(string Name, object? Value)> OtherDefaults()
    {
        var defaults = new List<(string, object?)>();
        void Add(string name, Func<object> value)
        {
            if (OneIn(6)) defaults.Add((name, OneIn(3) ? null : value()));
        }

        Add("type", () => $"type {_random.NextBelow(3)}");
        Add("contentType", () => "text/x-default");
        Add("tags", () => OneIn(4) ? Array.Empty<string>() : ["dflt", $"t{_random.NextBelow(3)}"]);
        Add("headers", () => new ModelMap { ["h"] = OneIn(4) ? null : "1", [$"h{_random.NextBelow(3)}"] = "2" });
        Add("retry", RetryDefault);
        return defaults;
    }

    /// <summary>A part of a policy, which is merged into what is there.</summary>
    private ModelMap RetryDefault()
    {
        var retry = new ModelMap();
        if (OneIn(2)) retry.Set("backoff", Backoffs[(int)_random.NextBelow(Backoffs.Length)]);
        if (OneIn(2)) retry.Set("baseMs", OneIn(5) ? null : 50 + _random.NextBelow(500));
        if (OneIn(2)) retry.Set("maxMs", OneIn(5) ? null : 100 + _random.NextBelow(1_500));
        if (OneIn(2)) retry.Set("jitterPpm", OneIn(5) ? null : _random.NextBelow(1_000_000));
        return retry;
    }
}
