namespace RaftQueue.Consensus;

public enum MembershipChangeKind
{
    AddLearner,
    Promote,
    Remove,
}
