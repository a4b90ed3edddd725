namespace RaftQueue.Simulation;

/// <summary>
/// One step of one client. All its choices are drawn from its own seed, so that a workload with steps left out makes the others as
/// before, but for what they find.
/// </summary>
/// <param name="Number">Unique in a workload; names its payloads, keys and worker.</param>
/// <param name="Client">Who makes it, from 0.</param>
/// <param name="ThinkMs">How long the client waits before it.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Seed">Where its choices come from.</param>
internal sealed record ClientStep(int Number, int Client, long ThinkMs, StepKind Kind, ulong Seed);
