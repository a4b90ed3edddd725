using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>How an election stands.</summary>
internal enum VoteTally
{
    Open,
    Won,
    Lost,
}

/// <summary>
/// Agreement over all voters, never over the replies received. Of a joint membership both halves must agree (Raft thesis 4.3).
/// An outgoing voter whose node lives on under another incarnation cannot agree to anything any more.
/// </summary>
internal static class Quorum
{
    /// <summary>The largest value that a quorum has reached or passed. Values are not negative.</summary>
    public static long Reached(MembershipRecord membership, Func<NodeId, long> valueOf)
    {
        long reached = OfHalf(membership, membership.Voters, valueOf);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.JointOfOneHalf)) return reached;
#endif
        return membership.IsJoint ? Math.Min(reached, OfHalf(membership, membership.Outgoing, valueOf)) : reached;
    }

    /// <summary>
    /// Counts votes: 1 is yes, -1 is no, 0 may still come. Lost when even all open votes would not win.
    /// </summary>
    public static VoteTally Tally(MembershipRecord membership, Func<NodeId, long> voteOf)
    {
        VoteTally tally = TallyHalf(membership, membership.Voters, voteOf);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.JointOfOneHalf)) return tally;
#endif
        if (!membership.IsJoint) return tally;
        VoteTally other = TallyHalf(membership, membership.Outgoing, voteOf);
        if (tally == VoteTally.Lost || other == VoteTally.Lost) return VoteTally.Lost;
        return tally == VoteTally.Won && other == VoteTally.Won ? VoteTally.Won : VoteTally.Open;
    }

    private static long OfHalf(MembershipRecord membership, IReadOnlyList<MemberInfo> voters, Func<NodeId, long> valueOf)
    {
        Span<long> values = stackalloc long[MembershipRecord.MaxMembers];
        values = values[..voters.Count];
        for (int i = 0; i < voters.Count; i++)
        {
            values[i] = membership.Names(voters[i].Id, voters[i].Incarnation) ? valueOf(voters[i].Id) : 0;
        }

        values.Sort();
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.CommitByRepliesReceived))
        {
            int silent = values.LastIndexOf(0L) + 1;
            return silent == voters.Count ? 0 : values[voters.Count - Majority(voters.Count - silent)];
        }
#endif
        return values[voters.Count - Majority(voters.Count)];
    }

    private static VoteTally TallyHalf(MembershipRecord membership, IReadOnlyList<MemberInfo> voters, Func<NodeId, long> voteOf)
    {
        int granted = 0;
        int refused = 0;
        foreach (MemberInfo voter in voters)
        {
            long vote = membership.Names(voter.Id, voter.Incarnation) ? voteOf(voter.Id) : -1;
            if (vote > 0) granted++;
            else if (vote < 0) refused++;
        }

        int majority = Majority(voters.Count);
        if (granted >= majority) return VoteTally.Won;
        return voters.Count - refused < majority ? VoteTally.Lost : VoteTally.Open;
    }

    private static int Majority(int count) => (count / 2) + 1;
}
