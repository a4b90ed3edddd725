using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The leader's steps from one membership to another, by joint consensus (Raft thesis 4.3). Each step is derived from the
/// membership in effect, so that a new leader goes on where an old one stopped. One step at a time, none before an entry of the
/// leader's own term is committed.
/// </summary>
internal sealed class MembershipChanges(NodeState state, Replication replication)
{
    /// <summary>A learner that lags no more than so many entries has caught up.</summary>
    private const long CaughtUpEntries = 128;

    private readonly SortedDictionary<int, MemberInfo> _swaps = [];
    private MembershipRecord? _requested;

    /// <summary>The membership that should be proposed now, or null.</summary>
    public MembershipRecord? Wanted
    {
        get
        {
            if (state.Role != Role.Leader) return null;
            MembershipRecord current = state.Members!;
            if (state.Log.LastIndex.Value == 0) return current;
            if (!MayChange || IsUnderWay) return null;
#if PLANTED_BUGS
            if (state.MembershipWaits) return null;
#endif
            if (current.IsJoint) return new MembershipRecord(current.Voters, current.Learners);
            return _requested ?? NextSwap(current) ?? NextPromotion(current);
        }
    }

    /// <summary>The last membership is not committed yet.</summary>
    private bool IsUnderWay
    {
        get
        {
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.MembershipsOverlap)) return false;
#endif
            return state.Membership.CurrentIndex > state.CommitIndex;
        }
    }

    private bool MayChange
    {
        get
        {
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.MembershipBeforeTermCommit)) return true;
#endif
            return replication.Ready;
        }
    }

    public void Begin()
    {
        _requested = null;
        _swaps.Clear();
    }

    /// <summary>The wanted membership was proposed.</summary>
    public void Proposed() => _requested = null;

    /// <summary>
    /// A member lives under a new, blank incarnation: the old one never comes back, so it goes out and the new one comes in as a
    /// learner, then as what the old one was.
    /// </summary>
    public void Swap(MemberInfo seen)
    {
        MemberInfo? member = state.Members!.Find(seen.Id);
        if (seen.Id == state.Self || member is null || member.Incarnation == seen.Incarnation) _swaps.Remove(seen.Id.Value);
        else _swaps[seen.Id.Value] = seen;
    }

    public MembershipChangeResult Request(MembershipChange change)
    {
        if (state.Role != Role.Leader) return MembershipChangeResult.NotLeader;
        if (!MayChange) return MembershipChangeResult.NotReady;
        MembershipRecord current = state.Members!;
        bool changing = current.IsJoint || _requested is not null || IsUnderWay;
        if (changing) return MembershipChangeResult.InProgress;
        return change.Kind switch
        {
            MembershipChangeKind.AddLearner => AddLearner(current, change.Member!),
            MembershipChangeKind.Promote => Promote(current, change.Node),
            _ => Remove(current, change.Node),
        };
    }

    private MembershipChangeResult AddLearner(MembershipRecord current, MemberInfo member)
    {
        if (current.Find(member.Id) is { } held)
        {
            return held.Incarnation == member.Incarnation ? MembershipChangeResult.AlreadyDone : MembershipChangeResult.Impossible;
        }

        return Want(current.Voters, [.. current.Learners, member], []);
    }

    private MembershipChangeResult Promote(MembershipRecord current, NodeId id)
    {
        if (current.Voters.Any(voter => voter.Id == id)) return MembershipChangeResult.AlreadyDone;
        MemberInfo? learner = current.Learners.FirstOrDefault(member => member.Id == id);
        if (learner is null) return MembershipChangeResult.Unknown;
        if (!HasCaughtUp(id)) return MembershipChangeResult.NotCaughtUp;
        return Want([.. current.Voters, AsVoter(learner)], Without(current.Learners, id), current.Voters);
    }

    private MembershipChangeResult Remove(MembershipRecord current, NodeId id)
    {
        if (current.Find(id) is null) return MembershipChangeResult.Unknown;
        if (current.Learners.Any(member => member.Id == id)) return Want(current.Voters, Without(current.Learners, id), []);
        if (current.Voters.Count == 1) return MembershipChangeResult.LastVoter;
        return Want(Without(current.Voters, id), current.Learners, current.Voters);
    }

    private MembershipChangeResult Want(
        IEnumerable<MemberInfo> voters, IEnumerable<MemberInfo> learners, IEnumerable<MemberInfo> outgoing)
    {
        MemberInfo[] newVoters = [.. voters.OrderBy(member => member.Id.Value)];
        MemberInfo[] newLearners = [.. learners.OrderBy(member => member.Id.Value)];
        _requested = MembershipRecord.FromOrdered(newVoters, newLearners, [.. outgoing]);
        return _requested is null ? MembershipChangeResult.Impossible : MembershipChangeResult.Accepted;
    }

    private MembershipRecord? NextSwap(MembershipRecord current)
    {
        foreach (MemberInfo seen in _swaps.Values)
        {
            MemberInfo? old = current.Find(seen.Id);
            if (old is null || old.Incarnation == seen.Incarnation) continue;
            bool wasVoter = current.IsVoter(seen.Id);
            MemberInfo fresh = seen with { PromoteWhenCaughtUp = wasVoter || old.PromoteWhenCaughtUp };
            if (!wasVoter) return Possible(current.Voters, [.. Without(current.Learners, seen.Id), fresh], []);
            if (current.Voters.Count == 1) continue;
            return Possible(Without(current.Voters, seen.Id), [.. current.Learners, fresh], current.Voters);
        }

        return null;
    }

    private MembershipRecord? NextPromotion(MembershipRecord current)
    {
        MemberInfo? ready = current.Learners.FirstOrDefault(learner => learner.PromoteWhenCaughtUp && HasCaughtUp(learner.Id));
        if (ready is null) return null;
        return Possible([.. current.Voters, AsVoter(ready)], Without(current.Learners, ready.Id), current.Voters);
    }

    private static MembershipRecord? Possible(
        IEnumerable<MemberInfo> voters, IEnumerable<MemberInfo> learners, IEnumerable<MemberInfo> outgoing) =>
        MembershipRecord.FromOrdered(
            [.. voters.OrderBy(member => member.Id.Value)], [.. learners.OrderBy(member => member.Id.Value)], [.. outgoing]);

    /// <summary>It also holds the membership that names it: before, it would not vote and be a voter in name only.</summary>
    private bool HasCaughtUp(NodeId id) =>
        replication.PeerOf(id) is { State: ProgressState.Replicate } peer
        && peer.Match >= state.Membership.CurrentIndex
        && state.Log.LastIndex - peer.Match <= CaughtUpEntries
        && state.NowMs - peer.LastHeardMs <= state.Options.ElectionTimeoutMs;

    private static MemberInfo AsVoter(MemberInfo learner) => learner with { PromoteWhenCaughtUp = false };

    private static IEnumerable<MemberInfo> Without(IEnumerable<MemberInfo> members, NodeId id) =>
        members.Where(member => member.Id != id);
}
