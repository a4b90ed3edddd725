using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// One shard as this node sees it; <see cref="Leader"/> is <see cref="NodeId.None"/> when unknown, <see cref="Transfer"/> null while
/// nothing is fetched, <see cref="Mending"/> while no page of the own checkpoint is known to be damaged.
/// <see cref="InDoubt"/>: the state here is another than a voter's, and no majority is known to agree on any.
/// </summary>
public sealed record ShardStatus(
    ShardId Id,
    string Role,
    Term Term,
    NodeId Leader,
    LogIndex CommitIndex,
    LogIndex AppliedIndex,
    LogIndex LastIndex,
    LogIndex HashIndex,
    ulong StateHash,
    PageCounters Pages,
    CheckpointStatus Checkpoint,
    IReadOnlyList<MemberStatus> Members,
    TransferStatus? Transfer,
    MendingStatus? Mending,
    bool InDoubt);
