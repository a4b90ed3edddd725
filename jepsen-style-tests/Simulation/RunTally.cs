using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What was looked at in runs, so that nobody takes for judged what was not. Not thread-safe.</summary>
internal sealed class RunTally
{
    /// <summary>Runs.</summary>
    public int Runs { get; private set; } = 1;

    /// <summary>Starts of nodes after faults that were held against everything.</summary>
    public int StartsJudged { get; set; }

    /// <summary>Those that something was allowed.</summary>
    public int StartsExcused { get; set; }

    /// <summary>Those that had to fail.</summary>
    public int StartsThatFailed { get; set; }

    /// <summary>Lives of nodes that were followed by others.</summary>
    public int LivesEnded { get; set; }

    /// <summary>Those of which the last step was not looked at.</summary>
    public int LivesUnseen { get; set; }

    /// <summary>Pages that left memory.</summary>
    public long Evictions { get; set; }

    /// <summary>In how many runs any did.</summary>
    public int RunsThatEvict { get; private set; }

    /// <summary>Runs whose plan lets a majority alone make progress before everything heals.</summary>
    public int MajorityWanted { get; private set; }

    /// <summary>How often it did, and why it was not asked, by name.</summary>
    public SortedDictionary<string, int> Majority { get; } = new(StringComparer.Ordinal);

    /// <summary>What was demanded of the queues then, and what had to be left out, by name.</summary>
    public SortedDictionary<string, int> Queues { get; } = new(StringComparer.Ordinal);

    /// <summary>Of many runs.</summary>
    public static RunTally Empty() => new() { Runs = 0 };

    public void WantsMajority() => MajorityWanted++;

    public static void Count(SortedDictionary<string, int> counts, string what, int times = 1) => counts[what] = counts.GetValueOrDefault(what) + times;

    public void Add(RunTally run)
    {
        StartsJudged += run.StartsJudged;
        StartsExcused += run.StartsExcused;
        StartsThatFailed += run.StartsThatFailed;
        LivesEnded += run.LivesEnded;
        LivesUnseen += run.LivesUnseen;
        MajorityWanted += run.MajorityWanted;
        foreach ((string what, int times) in run.Majority) Count(Majority, what, times);
        foreach ((string what, int times) in run.Queues) Count(Queues, what, times);
        Runs += run.Runs;
        Evictions += run.Evictions;
        RunsThatEvict += run.Evictions > 0 ? 1 : 0;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"lives of nodes: {LivesEnded} ended, of {LivesUnseen} the last step was not looked at\n"
        + $"starts after faults: {StartsJudged} judged, {StartsExcused} excused for a read that failed or damage that was done, {StartsThatFailed} failed as they had to\n"
        + $"evicted pages: {Evictions}, in {RunsThatEvict} of {Runs} runs\n"
        + $"a majority alone: wanted in {MajorityWanted} of {Runs} runs, {Join(Majority)}; its queues: {Join(Queues)}");

    private static string Join(SortedDictionary<string, int> counts) =>
        counts.Count == 0 ? "none" : string.Join(", ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));
}
