using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>What recovery found. Everything that the stored log shows at this time is durable.</summary>
public sealed record RaftStart
{
    /// <summary>
    /// The default for a node that never had one. Null when both copies are damaged: the node has forgotten what it promised, so
    /// it takes no part under this incarnation (it needs a new one, which the leader swaps in).
    /// </summary>
    public HardState? HardState { get; init; } = default(HardState);

    /// <summary>The newest durable checkpoint; zero when there is none.</summary>
    public LogIndex CheckpointIndex { get; init; }

    /// <summary>The term of the entry at <see cref="CheckpointIndex"/>.</summary>
    public Term CheckpointTerm { get; init; }

    /// <summary>The membership at the checkpoint; null exactly when there is no checkpoint.</summary>
    public MembershipRecord? CheckpointMembership { get; init; }

    /// <summary>
    /// The last entry that the log may once have held when it is damaged: until the log's last entry is at least as up to date
    /// (Raft thesis 3.6.1), the node neither votes nor campaigns.
    /// </summary>
    public (Term Term, LogIndex Index)? VoteFloor { get; init; }

    /// <summary>
    /// Known to be committed, such as what was applied to the state that is kept; never more than the log holds.
    /// </summary>
    public LogIndex CommitHint { get; init; }
}
