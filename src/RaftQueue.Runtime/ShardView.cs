using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Consensus of one shard as the replica loop last published it. Immutable.</summary>
internal sealed record ShardView(
    Role Role,
    Term Term,
    NodeId Leader,
    LogIndex CommitIndex,
    LogIndex KnownCommit,
    LogIndex LastIndex,
    MembershipRecord? Membership,
    IReadOnlyList<PeerProgress> Peers,
    bool InDoubt);
