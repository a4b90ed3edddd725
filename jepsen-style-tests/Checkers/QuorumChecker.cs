using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P10, of agreements, told of what nodes say as they say it: who leads a term was voted for, and what a leader counts as committed was
/// acknowledged to it in its term, by a majority of each half of the membership; and what it counts ends with an entry of its own term
/// (Raft thesis 3.6.2). Each in O(members).
/// </summary>
public sealed class QuorumChecker
{
    private readonly HashSet<(ShardId Shard, long Term, NodeId Candidate, NodeId Voter, Incarnation Life)> _votes = [];
    private readonly Dictionary<(ShardId Shard, long Term, NodeId Voter, Incarnation Life), long> _acknowledged = [];

    /// <summary>A node tells a candidate that it votes for it.</summary>
    public void Votes(ShardId shard, long term, NodeId candidate, NodeId voter, Incarnation life) =>
        _votes.Add((shard, term, candidate, voter, life));

    /// <summary>A node tells the leader of a term that it holds the log durably through this index.</summary>
    /// <param name="shard">Its shard.</param>
    /// <param name="term">The leader's.</param>
    /// <param name="voter">Who.</param>
    /// <param name="life">In which life.</param>
    /// <param name="index">What it says.</param>
    /// <param name="durable">How far that is so; null when it is in a later term by now.</param>
    public void Acknowledges(ShardId shard, long term, NodeId voter, Incarnation life, long index, long? durable)
    {
        Require.That(
            durable is not { } held || index <= held,
            $"P10: node {voter} acknowledges shard {shard} up to {index} in term {term}, and has it durably up to {durable}");
        (ShardId, long, NodeId, Incarnation) key = (shard, term, voter, life);
        if (index > _acknowledged.GetValueOrDefault(key)) _acknowledged[key] = index;
    }

    /// <summary>A node leads from now on; it has its own vote.</summary>
    public void Leads(ShardId shard, long term, NodeId leader, Halves members) => Require.That(
        members.Agree((id, life) => id == leader || _votes.Contains((shard, term, leader, id, life))),
        $"P10: node {leader} leads term {term} of shard {shard} without the votes of a majority");

    /// <summary>Whether a leader whose own log is durable so far may take everything up to an index for committed.</summary>
    public bool MayCommit(ShardId shard, long term, NodeId leader, long ownDurable, long index, Halves members) => members.Agree(
        (id, life) => (id == leader ? ownDurable : _acknowledged.GetValueOrDefault((shard, term, id, life))) >= index);

    /// <summary>A leader of a term counted the copies of what ends with an entry of this term.</summary>
    public static void Counts(ShardId shard, long term, NodeId leader, long index, long entryTerm) => Require.That(
        entryTerm == term, $"P10: node {leader} leads term {term} of shard {shard} and counts the copies of entry {index} of term {entryTerm}");
}
