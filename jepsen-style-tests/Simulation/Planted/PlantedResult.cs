namespace RaftQueue.Simulation;

/// <summary>What became of one planted mistake.</summary>
/// <param name="Case">The mistake.</param>
/// <param name="Finding">The one that was expected; null when it was not among the findings of any run.</param>
/// <param name="Properties">Of all findings of the run that caught it; what was found instead when none did.</param>
/// <param name="Seeds">How many runs it took.</param>
/// <param name="Control">Null when the run that caught it passes without the mistake; else how it fails.</param>
/// <param name="Seconds">How long that took.</param>
internal sealed record PlantedResult(PlantedCase Case, Finding? Finding, string Properties, int Seeds, string? Control, double Seconds)
{
    public bool Caught => Finding is not null && Control is null;
}
