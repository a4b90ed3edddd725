using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>A planted mistake and the runs that should catch it.</summary>
/// <param name="Bug">The switch.</param>
/// <param name="Number">Of the list of the likeliest bugs in the reliability plan; 0 for what is known from other programs.</param>
/// <param name="Expected">
/// P1 to P11, or a part of an invariant's words that the program states: it is caught when this is among the findings, by nothing else; null for whatever the judges name.
/// </param>
/// <param name="Seeds">So many runs may be needed at most.</param>
/// <param name="Shape">The run of a seed: a bias of the rates or a directed schedule. The judges are those of any run.</param>
internal sealed record PlantedCase(PlantedBug Bug, int Number, string? Expected, int Seeds, Func<ulong, RunCase> Shape)
{
    /// <summary>The finding that counts; null when there is none among these.</summary>
    public Finding? In(IEnumerable<Finding> findings) => findings.FirstOrDefault(finding => finding.IsNamed
        && (Expected is null || finding.Property == Expected || (finding.IsInvariant && finding.Message.Contains(Expected, StringComparison.Ordinal))));
}
