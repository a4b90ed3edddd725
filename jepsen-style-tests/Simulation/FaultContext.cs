using RaftQueue.Checkers;

namespace RaftQueue.Simulation;

/// <summary>What makes faults works on.</summary>
/// <param name="Later">Does something after so many milliseconds, unless everything has healed by then.</param>
/// <param name="Replace">Gives a node an empty disk.</param>
internal sealed record FaultContext(
    SimulatedCluster Cluster, History History, DamageBudget Budget, Action<long, Action> Later, Action<SimulatedNode> Replace)
{
    public long Now => Cluster.Clock.MonotonicMicroseconds;

    public void Tell(string what) => History.Fault(what);
}
