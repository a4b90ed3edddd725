namespace RaftQueue.Simulation;

/// <summary>What became of one planted mistake.</summary>
/// <param name="Property">By which it was caught; null when it was not.</param>
/// <param name="Seeds">How many runs it took.</param>
/// <param name="Control">Null when the run that caught it passes without the mistake; else how it fails.</param>
internal sealed record PlantedResult(PlantedCase Case, string? Property, int Seeds, string Message, string? Control, double Seconds)
{
    public bool Caught => Property is not null && Control is null;
}
