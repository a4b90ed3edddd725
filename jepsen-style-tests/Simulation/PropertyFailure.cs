namespace RaftQueue.Simulation;

/// <summary>A run that FsCheck made and that fails.</summary>
/// <param name="First">As it was made.</param>
/// <param name="Smallest">As small as it still fails by the same property.</param>
/// <param name="Verdict">How the smallest ends.</param>
internal sealed record PropertyFailure(RunCase First, RunCase Smallest, RunVerdict Verdict)
{
    /// <summary>All about it, and the commands that make it fail again: small from the file, or as FsCheck made it.</summary>
    public string Told(ulong replay, string path) =>
        $"FAILED  FsCheck {replay}, {First.Schedule.Events.Count} faults shrunk to {Smallest.Schedule.Events.Count}: {Verdict.Headline}\n"
        + $"as it was made: dotnet run -c Release --project jepsen-style-tests/Simulation -- --property 1 --replay {replay}\n"
        + CaseCommands.Told(Smallest, Verdict, path);
}
