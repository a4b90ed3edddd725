using RaftQueue.Consensus;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// What an operator does to the members of a shard, through its leader: takes one out, adds it again as a learner, makes that a voter. A
/// majority of all nodes stay voters, and most voters intact; who takes out more gets what he asks for.
/// </summary>
internal sealed class MembershipFaults(SimulatedCluster cluster, DamageBudget budget, Action<string> tell)
{
    /// <summary>Null when the leader took it on, else why not. The amount is twice the shard, plus 1 for a learner who becomes a voter by itself.</summary>
    public string? Make(FaultEvent fault, SimulatedNode leader)
    {
        if (fault.Other.In(cluster) is not { } node) return "no such node";
        return fault.Kind switch
        {
            FaultKind.RemoveMember => Remove((int)(fault.Amount / 2), leader, node),
            FaultKind.AddLearner => Add((int)(fault.Amount / 2), leader, node, promotes: fault.Amount % 2 == 1),
            _ => Ask((int)(fault.Amount / 2), leader, MembershipChange.Promote(node.Id), $"promote node {node.Id}"),
        };
    }

    /// <summary>Everybody who is not a voter of a shard is made one, step by step; to be called again and again.</summary>
    public void Restore()
    {
        for (int shard = 0; shard < cluster.Nodes[0].Node?.Parts.Replica.Shards.Count; shard++)
        {
            if (cluster.Leader(shard) is not { } leader || RaftOf(shard, leader).Membership is not { IsJoint: false } membership) continue;
            foreach (SimulatedNode node in cluster.Nodes.Where(node => node.IsRunning && !membership.IsVoter(node.Id)))
            {
                if (membership.Find(node.Id) is not { } member) Add(shard, leader, node, promotes: true);
                else if (!member.PromoteWhenCaughtUp) Ask(shard, leader, MembershipChange.Promote(node.Id), $"promote node {node.Id}");
            }
        }
    }

    private string? Remove(int shard, SimulatedNode leader, SimulatedNode node)
    {
        if (RaftOf(shard, leader).Membership is not { } membership) return "there is no membership";
        return budget.RefusesRemoval(membership, node.Id) ?? Ask(shard, leader, MembershipChange.Remove(node.Id), $"remove node {node.Id}");
    }

    private string? Add(int shard, SimulatedNode leader, SimulatedNode node, bool promotes)
    {
        if (node.Node is not { } running) return "the node is down";
        var learner = new MemberInfo(node.Id, running.Parts.Shared.Incarnation, $"node{node.Id}:9090", $"http://node{node.Id}:8080")
        {
            PromoteWhenCaughtUp = promotes,
        };
        return Ask(shard, leader, MembershipChange.AddLearner(learner), $"add node {node.Id} as a learner{(promotes ? " that is promoted" : "")}");
    }

    private string? Ask(int shard, SimulatedNode leader, MembershipChange change, string what)
    {
        MembershipChangeResult result = RaftOf(shard, leader).ProposeMembershipChange(change, leader.Clock.MonotonicMicroseconds / 1000);
        if (result != MembershipChangeResult.Accepted) return $"{what}: {result}";
        tell($"node {leader.Id} is asked, as the leader of shard {shard}, to {what}");
        ReplicaLoop replica = leader.Node!.Parts.Replica;
        replica.Handle!.Wake();
        return null;
    }

    private static RaftNode RaftOf(int shard, SimulatedNode node) => node.Node!.Parts.Replica.Shards[shard].Raft;
}
