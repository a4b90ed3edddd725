using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// The root hashes of one shard's checkpoints, by index: this node's newest ones, and those that voters told of. A node that skipped
/// a position has nothing to say about it. Bounded: <see cref="Kept"/> positions of each. Replica loop.
/// </summary>
internal sealed class CheckpointRoots
{
    /// <summary>Positions that are remembered of this node and of each voter.</summary>
    public const int Kept = 8;

    private readonly List<(LogIndex Index, ulong Root)> _own = [];
    private readonly Dictionary<NodeId, List<(LogIndex Index, ulong Root)>> _told = [];
    private LogIndex _agreed;

    /// <summary>This node's, in the order of their indexes.</summary>
    public IReadOnlyList<(LogIndex Index, ulong Root)> Own => _own;

    /// <summary>This node has a checkpoint.</summary>
    public void Add(LogIndex index, ulong root) => Put(_own, index, root);

    /// <summary>A voter has one.</summary>
    public void Told(NodeId voter, LogIndex index, ulong root)
    {
        if (!_told.TryGetValue(voter, out List<(LogIndex Index, ulong Root)>? roots)) _told.Add(voter, roots = []);
        Put(roots, index, root);
    }

    /// <summary>Forgets what was told by those who are no voters.</summary>
    public void KeepOnly(IReadOnlyList<MemberInfo> voters)
    {
        foreach (NodeId peer in _told.Keys.ToList())
        {
            if (!voters.Any(voter => voter.Id == peer)) _told.Remove(peer);
        }
    }

    /// <summary>
    /// The worst that is said of one of this node's roots above the newest position on which a majority agrees with it, and of which.
    /// </summary>
    public (HashVerdict Verdict, LogIndex Index, ulong Root) Judge(NodeId self, IReadOnlyList<MemberInfo> voters)
    {
        (HashVerdict Verdict, LogIndex Index, ulong Root) worst = (HashVerdict.Open, LogIndex.Zero, 0);
        for (int place = _own.Count - 1; place >= 0 && _own[place].Index > _agreed; place--)
        {
            (LogIndex index, ulong root) = _own[place];
            HashVerdict verdict = VotesAt(index).Weigh(self, root, voters);
            if (verdict == HashVerdict.Agreed) _agreed = index;
            else if (verdict > worst.Verdict) worst = (verdict, index, root);
        }

        return worst;
    }

    /// <summary>Whether a majority is known to have the root that this node has at an index.</summary>
    public bool IsAgreed(LogIndex index, NodeId self, IReadOnlyList<MemberInfo> voters)
    {
        foreach ((LogIndex at, ulong root) in _own)
        {
            if (at == index) return VotesAt(index).Weigh(self, root, voters) == HashVerdict.Agreed;
        }

        return false;
    }

    /// <summary>The newest position on which a majority is known to agree with this node; zero before the first.</summary>
    public LogIndex Agreed => _agreed;

    /// <summary>The voters that have another root at one of this node's positions above the newest on which a majority agrees.</summary>
    public IEnumerable<NodeId> Differing() =>
        _own.Where(own => own.Index > _agreed).SelectMany(own => VotesAt(own.Index).Differing(own.Root)).Distinct();

    /// <summary>
    /// Voters have told different roots of a position, above the newest on which a majority agrees with this node, that this node skipped:
    /// it does not know who of them is right, and could say.
    /// </summary>
    public bool OthersDiffer()
    {
        foreach (List<(LogIndex Index, ulong Root)> roots in _told.Values)
        {
            foreach ((LogIndex index, ulong root) in roots)
            {
                if (index > _agreed && !_own.Exists(own => own.Index == index) && VotesAt(index).Differing(root).Any()) return true;
            }
        }

        return false;
    }

    private HashVotes VotesAt(LogIndex index)
    {
        var votes = new HashVotes();
        foreach ((NodeId voter, List<(LogIndex Index, ulong Root)> roots) in _told)
        {
            foreach ((LogIndex told, ulong root) in roots)
            {
                if (told == index) votes.Add(voter, root);
            }
        }

        return votes;
    }

    private static void Put(List<(LogIndex Index, ulong Root)> roots, LogIndex index, ulong root)
    {
        int place = roots.Count;
        while (place > 0 && roots[place - 1].Index > index) place--;
        if (place > 0 && roots[place - 1].Index == index) roots[place - 1] = (index, root);
        else roots.Insert(place, (index, root));
        if (roots.Count > Kept) roots.RemoveAt(0);
    }
}
