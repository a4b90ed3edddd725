using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What was looked at in runs, so that nobody takes for judged what was not. Not thread-safe.</summary>
internal sealed class RunTally
{
    /// <summary>Runs.</summary>
    public int Runs { get; private set; } = 1;

    /// <summary>Pages that left memory.</summary>
    public long Evictions { get; set; }

    /// <summary>In how many runs any did.</summary>
    public int RunsThatEvict { get; private set; }

    /// <summary>Of many runs.</summary>
    public static RunTally Empty() => new() { Runs = 0 };

    public void Add(RunTally run)
    {
        Runs += run.Runs;
        Evictions += run.Evictions;
        RunsThatEvict += run.Evictions > 0 ? 1 : 0;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"evicted pages: {Evictions}, in {RunsThatEvict} of {Runs} runs");
}
