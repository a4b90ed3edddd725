using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P10, told of what happens as it happens: at most one leader a term, at most one vote an incarnation of a node and term also over
/// restarts, terms never fall, what is committed never changes, no leader lacks it, two logs with an entry of the same term at an
/// index are the same up to there, and equal applied index means equal state hash and equal pages. Each in O(1).
/// </summary>
public sealed class RaftChecker
{
    private readonly Dictionary<(ShardId, long Term), NodeId> _leaders = [];
    private readonly Dictionary<(ShardId, Incarnation), (long Term, NodeId Vote)> _promises = [];
    private readonly Dictionary<(ShardId, long Term, long Index), (ulong Checksum, ulong Before)> _entries = [];
    private readonly Dictionary<(ShardId, long Index), ulong> _committed = [];
    private readonly Dictionary<(ShardId, long Index), ulong> _states = [];
    private readonly Dictionary<(ShardId, long Index), (ulong Hash, NodeId First)> _pages = [];

    public void Leads(ShardId shard, long term, NodeId node)
    {
        if (_leaders.TryAdd((shard, term), node)) return;
        Require.That(_leaders[(shard, term)] == node, $"P10: nodes {_leaders[(shard, term)]} and {node} lead term {term} of shard {shard}");
    }

    /// <summary>A node's hard state as it stands on its disk or in a message: its term, and whom it voted for in it.</summary>
    public void Promises(ShardId shard, Incarnation incarnation, NodeId node, long term, NodeId vote)
    {
        (long Term, NodeId Vote) before = _promises.GetValueOrDefault((shard, incarnation));
        Require.That(term >= before.Term, $"P10: node {node} went from term {before.Term} back to {term} of shard {shard}");
        bool changed = term == before.Term && !before.Vote.IsNone && !vote.IsNone && vote != before.Vote;
        Require.That(!changed, $"P10: node {node} voted for {before.Vote} and for {vote} in term {term} of shard {shard}");
        if (term == before.Term && vote.IsNone) vote = before.Vote;
        _promises[(shard, incarnation)] = (term, vote);
    }

    /// <summary>
    /// A node's log holds an entry with this checksum, behind one with that; log matching is then an induction over the index.
    /// </summary>
    public void Holds(ShardId shard, NodeId node, long term, long index, ulong checksum, ulong checksumBefore)
    {
        if (_entries.TryAdd((shard, term, index), (checksum, checksumBefore))) return;
        (ulong Checksum, ulong Before) known = _entries[(shard, term, index)];
        Require.That(known.Checksum == checksum, $"P10: node {node} has another entry {index} of term {term} of shard {shard}");
        Require.That(known.Before == checksumBefore, $"P10: node {node} has another entry in front of {index} of term {term} of shard {shard}");
    }

    public void Committed(ShardId shard, NodeId node, long index, ulong checksum)
    {
        if (_committed.TryAdd((shard, index), checksum)) return;
        Require.That(_committed[(shard, index)] == checksum, $"P10: node {node} committed another entry {index} of shard {shard}");
    }

    /// <summary>The state hash at an index, if any node was seen there.</summary>
    public ulong? StateAt(ShardId shard, long index) => _states.TryGetValue((shard, index), out ulong hash) ? hash : null;

    public void Applied(ShardId shard, NodeId node, long index, ulong stateHash)
    {
        if (_states.TryAdd((shard, index), stateHash)) return;
        Require.That(_states[(shard, index)] == stateHash, $"P10: node {node} has another state hash at index {index} of shard {shard}");
    }

    /// <summary>
    /// The hash over all pages of a node's state or checkpoint at an index; no node is the log replayed. True when somebody else had
    /// told of the same, so that two were compared.
    /// </summary>
    public bool Pages(ShardId shard, NodeId node, long index, ulong hash)
    {
        if (_pages.TryAdd((shard, index), (hash, node))) return false;
        (ulong known, NodeId first) = _pages[(shard, index)];
        Require.That(
            known == hash, $"P10: {(node.IsNone ? "the log replayed" : $"node {node}")} has other pages at index {index} of shard {shard} than node {first}");
        return first != node;
    }
}
