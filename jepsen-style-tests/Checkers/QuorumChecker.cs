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

    /// <summary>
    /// A leader takes everything up to an index for committed. Each membership that stands there is in effect from its own entry on, and is
    /// committed by itself before the next one is proposed; the end is counted by the newest that stands in front of it, or by one
    /// that came later.
    /// </summary>
    /// <param name="shard">Its shard.</param>
    /// <param name="term">Its term.</param>
    /// <param name="leader">Who.</param>
    /// <param name="ownDurable">How far its own log is durable.</param>
    /// <param name="from">What was committed before.</param>
    /// <param name="to">What is now.</param>
    /// <param name="memberships">By where they stand: the one in effect at <paramref name="from"/> or when the term began, and all since.</param>
    public void Commits(
        ShardId shard, long term, NodeId leader, long ownDurable, long from, long to, IReadOnlyList<(long Index, Halves Halves)> memberships)
    {
        string Who() => $"P10: node {leader} leads term {term} of shard {shard} and takes {to} for committed without a majority";
        bool agreed = false;
        for (int at = 0; at < memberships.Count; at++)
        {
            (long index, Halves halves) = memberships[at];
            bool isCommitted = index > from && index <= to;
            Require.That(
                !isCommitted || MayCommit(shard, term, leader, ownDurable, index, halves), $"{Who()} by the membership at {index}, {halves}");
            bool isReplaced = at + 1 < memberships.Count && memberships[at + 1].Index <= to;
            agreed |= !isReplaced && MayCommit(shard, term, leader, ownDurable, to, halves);
        }

        Require.That(agreed, $"{Who()} by {string.Join(" or ", memberships.Select(each => $"the membership at {each.Index}, {each.Halves}"))}");
    }

    /// <summary>Whether a leader whose own log is durable so far may take everything up to an index for committed.</summary>
    public bool MayCommit(ShardId shard, long term, NodeId leader, long ownDurable, long index, Halves members) => members.Agree(
        (id, life) => (id == leader ? ownDurable : _acknowledged.GetValueOrDefault((shard, term, id, life))) >= index);

    /// <summary>A leader of a term counted the copies of what ends with an entry of this term.</summary>
    public static void Counts(ShardId shard, long term, NodeId leader, long index, long entryTerm) => Require.That(
        entryTerm == term, $"P10: node {leader} leads term {term} of shard {shard} and counts the copies of entry {index} of term {entryTerm}");
}
