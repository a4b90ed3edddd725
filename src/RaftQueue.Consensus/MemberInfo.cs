using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// One member of a shard's group as a membership names it. Addresses are "host:port", UTF-8, at most
/// <see cref="MembershipRecord.MaxAddressBytes"/> bytes. The incarnation is part of the identity: the same node id with another
/// incarnation is another member.
/// </summary>
public sealed record MemberInfo(NodeId Id, Incarnation Incarnation, string PeerAddress, string HttpAddress)
{
    /// <summary>A learner with this mark becomes a voter by itself as soon as it has caught up (a swapped node).</summary>
    public bool PromoteWhenCaughtUp { get; init; }
}
