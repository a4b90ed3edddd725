using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>A planted mistake and the runs that should catch it.</summary>
/// <param name="Bug">The switch.</param>
/// <param name="Number">Of the list of the likeliest bugs in the reliability plan; 0 for what is known from other programs.</param>
/// <param name="Seeds">So many runs may be needed at most.</param>
/// <param name="Shape">The run of a seed: a bias of the rates or a directed schedule. The judges are those of any run.</param>
internal sealed record PlantedCase(PlantedBug Bug, int Number, int Seeds, Func<ulong, RunCase> Shape);
