using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>What other voters said about one index. Bounded by the number of voters.</summary>
internal sealed class HashVotes
{
    private readonly Dictionary<NodeId, ulong> _told = [];

    /// <summary>What a voter has there; the newest word counts.</summary>
    public void Add(NodeId voter, ulong hash) => _told[voter] = hash;

    public HashVerdict Weigh(NodeId self, ulong own, IReadOnlyList<MemberInfo> voters)
    {
        int majority = (voters.Count / 2) + 1;
        int same = 0;
        int told = 0;
        int largestOther = 0;
        foreach (MemberInfo voter in voters)
        {
            if (!TryGet(voter.Id, self, own, out ulong hash)) continue;
            told++;
            if (hash == own) same++;
            else largestOther = Math.Max(largestOther, Count(hash, self, own, voters));
        }

        if (same >= majority) return HashVerdict.Agreed;
        if (largestOther >= majority) return HashVerdict.Outvoted;
        if (told == voters.Count) return HashVerdict.NobodyAgrees;
        return largestOther > 0 ? HashVerdict.Doubted : HashVerdict.Open;
    }

    /// <summary>Who has something else than <paramref name="own"/>.</summary>
    public IEnumerable<NodeId> Differing(ulong own) => _told.Where(told => told.Value != own).Select(told => told.Key);

    private int Count(ulong wanted, NodeId self, ulong own, IReadOnlyList<MemberInfo> voters)
    {
        int count = 0;
        foreach (MemberInfo voter in voters)
        {
            if (TryGet(voter.Id, self, own, out ulong hash) && hash == wanted) count++;
        }

        return count;
    }

    private bool TryGet(NodeId voter, NodeId self, ulong own, out ulong hash)
    {
        hash = own;
        return voter == self || _told.TryGetValue(voter, out hash);
    }
}
