using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// One change of the membership asked for by an operator. A learner whose <see cref="MemberInfo.PromoteWhenCaughtUp"/> is set
/// becomes a voter by itself.
/// </summary>
public sealed record MembershipChange
{
    private MembershipChange(MembershipChangeKind kind, NodeId node, MemberInfo? member)
    {
        Kind = kind;
        Node = node;
        Member = member;
    }

    public MembershipChangeKind Kind { get; }

    public NodeId Node { get; }

    /// <summary>The new learner, else null.</summary>
    public MemberInfo? Member { get; }

    public static MembershipChange AddLearner(MemberInfo member) => new(MembershipChangeKind.AddLearner, member.Id, member);

    public static MembershipChange Promote(NodeId learner) => new(MembershipChangeKind.Promote, learner, null);

    public static MembershipChange Remove(NodeId node) => new(MembershipChangeKind.Remove, node, null);
}
