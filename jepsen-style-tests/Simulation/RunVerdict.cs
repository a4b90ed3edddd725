namespace RaftQueue.Simulation;

/// <summary>How a run ended.</summary>
/// <param name="Findings">All that was found, the first first; empty when all is well.</param>
/// <param name="Story">Plan, timeline of the last events, state of the nodes, last calls.</param>
internal sealed record RunVerdict(IReadOnlyList<Finding> Findings, string Story)
{
    public static RunVerdict Passed { get; } = new([], "");

    public bool Failed => Findings.Count > 0;

    /// <summary>Of the first finding: P1 to P11, "invariant" for one that the program itself holds, else the exception's type; null when all is well.</summary>
    public string? Property => Findings.Count == 0 ? null : Findings[0].Property;

    /// <summary>The first finding in one line; empty when all is well.</summary>
    public string Headline => Findings.Count == 0 ? "" : Findings[0].Headline;

    /// <summary>Every property that something was found of, in that order.</summary>
    public string Properties => string.Join(' ', Findings.Select(finding => finding.Property).Distinct());

    /// <summary>Runs it on this thread.</summary>
    public static RunVerdict Of(RunCase run)
    {
        using SeedRun prepared = run.Prepare();
        return Of(prepared);
    }

    /// <summary>Runs what is prepared.</summary>
    public static RunVerdict Of(SeedRun prepared)
    {
        prepared.Run();
        return new RunVerdict(prepared.Findings.All, prepared.Findings.Story);
    }

    /// <summary>One headline a finding, what happened last, and each finding with its place.</summary>
    public string Told() => $"{string.Join('\n', Findings.Select(finding => finding.Headline))}\n{Story}\n{string.Join("\n\n", Findings)}";
}
