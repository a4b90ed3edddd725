using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// Keeps account of whose copies are whole, so that a run never does more damage than the promise covers. README.md in this folder
/// states the rule and why it is enough.
/// </summary>
internal sealed class DamageBudget(SimulatedCluster cluster, int shards)
{
    private readonly LogIndex[] _committed = new LogIndex[shards];

    /// <summary>At first everybody: who never held the first entry cannot vote for the cluster that it is a member of.</summary>
    private readonly Dictionary<NodeId, Wound> _wounds = cluster.Nodes.ToDictionary(node => node.Id, _ => new Wound(0, false, 0));
    private readonly Dictionary<NodeId, LogIndex[]> _lastKnown = [];
    private readonly Dictionary<(NodeId Node, int Shard), MembershipRecord> _memberships = [];

    /// <summary>Once a majority held everything.</summary>
    public bool HasBegun { get; private set; }

    private int Majority => (cluster.Nodes.Count / 2) + 1;

    /// <summary>
    /// Before a node ends in any way, and before every decision: what any node knows to be committed has to survive, whoever
    /// remembers it.
    /// </summary>
    public void Observe()
    {
        foreach (SimulatedNode node in cluster.Nodes)
        {
            if (node.Node is not { } running) continue;
            if (!_lastKnown.TryGetValue(node.Id, out LogIndex[]? last)) _lastKnown.Add(node.Id, last = new LogIndex[shards]);
            foreach (ShardReplica shard in running.Parts.Replica.Shards)
            {
                int at = shard.Shard.Value;
                if (shard.Raft.CommitIndex > _committed[at]) _committed[at] = shard.Raft.CommitIndex;
                last[at] = shard.Raft.LastIndex;
                if (shard.Raft.Membership is { } membership) _memberships[(node.Id, at)] = membership;
            }
        }

        foreach ((NodeId id, Wound wound) in _wounds.ToList())
        {
            SimulatedNode node = cluster[id.Value];
            if (wound.IsForEver || node.Lives <= wound.Life || !HoldsWhatIsCommitted(node)) continue;
            _wounds.Remove(id);
            node.Damaged = DamagedParts.None;
        }

        HasBegun |= cluster.Nodes.Count(IsIntact) >= Majority;
    }

    /// <summary>No part of what this node stored is in doubt.</summary>
    public bool IsIntact(SimulatedNode node) => !_wounds.ContainsKey(node.Id);

    /// <summary>These nodes are a majority by every membership that any node has, or had when it was seen last: nobody else is needed.</summary>
    public bool MayDecide(IEnumerable<SimulatedNode> nodes)
    {
        HashSet<NodeId> ids = [.. nodes.Select(node => node.Id)];
        bool IsMajority(IReadOnlyList<MemberInfo> voters) => voters.Count(voter => ids.Contains(voter.Id)) > voters.Count / 2;
        return _memberships.Values.All(known => IsMajority(known.Voters) && (!known.IsJoint || IsMajority(known.Outgoing)));
    }

    /// <summary>
    /// Null when a voter may be taken out of a shard: most of those that stay are intact. Else the reason.
    /// </summary>
    public string? RefusesRemoval(MembershipRecord membership, NodeId removed)
    {
        List<MemberInfo> rest = [.. membership.Voters.Where(voter => voter.Id != removed)];
        if (rest.Count < Majority) return "too few voters are left";
        return rest.Count(voter => IsIntact(cluster[voter.Id.Value])) > rest.Count / 2 ? null : "too few of those that stay are intact";
    }

    /// <summary>The damage may lie where a start does not look.</summary>
    public bool IsDamagedForEver(SimulatedNode node) => _wounds.TryGetValue(node.Id, out Wound? wound) && wound.IsForEver;

    /// <summary>
    /// Null when what the victim stores may be damaged: a majority of the members, without it, hold intact and durable copies of
    /// all that is committed; and all that the victim's own log holds is committed. Else the reason.
    /// </summary>
    public string? Refuses(SimulatedNode victim)
    {
        Observe();
        int others = cluster.Nodes.Count(node => node != victim && IsIntact(node) && HoldsWhatIsCommitted(node));
        if (others < Majority) return $"only {others} other nodes hold all that is committed";
        bool isSettled = _lastKnown.TryGetValue(victim.Id, out LogIndex[]? last)
            && Enumerable.Range(0, shards).All(shard => last[shard] <= _committed[shard]);
        return isSettled ? null : "its log holds entries that are not committed";
    }

    /// <summary>Its log was damaged in more than one place since it was whole: it may be a sync mark and what that proves.</summary>
    public bool IsLogDamagedTwice(SimulatedNode node) => _wounds.TryGetValue(node.Id, out Wound? wound) && wound.TimesOfLog > 1;

    /// <summary>
    /// A part of what this node stores is gone or wrong, until it was started again and holds everything; for ever when the damage
    /// may lie where a start does not look: in a checkpoint, or in one of two copies.
    /// </summary>
    public void Damage(SimulatedNode victim, DamagedParts part)
    {
        _wounds.TryGetValue(victim.Id, out Wound? old);
        bool isOfLog = part == DamagedParts.Log;
        _wounds[victim.Id] = new Wound(victim.Lives, !isOfLog || old is { IsForEver: true }, (old?.TimesOfLog ?? 0) + (isOfLog ? 1 : 0));
        victim.Damaged |= part;
    }

    /// <summary>It begins anew with an empty disk: no old damage is left on it, and nothing else.</summary>
    public void Wiped(SimulatedNode victim)
    {
        _wounds[victim.Id] = new Wound(victim.Lives, false, 0);
        victim.Damaged = DamagedParts.None;
    }

    private bool HoldsWhatIsCommitted(SimulatedNode node)
    {
        if (node.Node is not { } running) return false;
        foreach (ShardReplica shard in running.Parts.Replica.Shards)
        {
            RaftNode raft = shard.Raft;
            bool isMember = raft.Membership is { IsJoint: false } membership && membership.IsVoter(node.Id)
                && membership.Names(node.Id, running.Parts.Shared.Incarnation) && raft.MembershipIndex.Value > 0
                && raft.CommitIndex >= raft.MembershipIndex;
            if (!isMember || !raft.CanVote || raft.DurableIndex < _committed[shard.Shard.Value]) return false;
        }

        return true;
    }

    private sealed record Wound(int Life, bool IsForEver, int TimesOfLog);
}
