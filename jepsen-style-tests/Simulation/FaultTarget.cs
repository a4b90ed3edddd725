using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>Which node a fault is for: one by its number ("n2"), or whoever leads a shard when the fault happens ("leader0").</summary>
internal readonly record struct FaultTarget(bool IsLeader, int Number)
{
    private const string LeaderPrefix = "leader";

    public static FaultTarget Node(int number) => new(false, number);

    public static FaultTarget LeaderOf(int shard) => new(true, shard);

    public static FaultTarget Parse(string text) => text.StartsWith(LeaderPrefix, StringComparison.Ordinal)
        ? LeaderOf(int.Parse(text.AsSpan(LeaderPrefix.Length), CultureInfo.InvariantCulture))
        : Node(int.Parse(text.AsSpan(1), CultureInfo.InvariantCulture));

    /// <summary>The node at this moment; null when nobody leads the shard.</summary>
    public SimulatedNode? In(SimulatedCluster cluster)
    {
        if (!IsLeader) return cluster[Number];
        SimulatedNode? found = null;
        foreach (SimulatedNode node in cluster.Nodes)
        {
            if (node.Node?.Parts.Replica.Shards[Number].Raft is not { Role: Consensus.Role.Leader } raft) continue;
            // A leader that was cut off may believe in an older term.
            if (found is null || raft.Term > found.Node!.Parts.Replica.Shards[Number].Raft.Term) found = node;
        }

        return found;
    }

    public override string ToString() => IsLeader ? $"{LeaderPrefix}{Number}" : $"n{Number}";
}
