#if PLANTED_BUGS
namespace RaftQueue.Primitives;

/// <summary>
/// Mistakes that somebody could make here, each a switch of a test build (configuration Planted) that the simulation has to catch.
/// The shipped program holds none of this.
/// </summary>
public enum PlantedBug
{
    /// <summary>A vote is told before it is durable.</summary>
    VoteBeforeDurable,

    /// <summary>Messages speak in a term that is not durable yet.</summary>
    TermBeforeDurable,

    /// <summary>Stepping down within a term forgets whom the node voted for.</summary>
    VoteClearedOnStepDown,

    /// <summary>Entries of older terms are committed by counting copies.</summary>
    OldTermCommittedByCounting,

    /// <summary>A leader grants reads before an entry of its own term is committed.</summary>
    ReadBeforeOwnTermEntry,

    /// <summary>Any reply confirms the newest read round.</summary>
    LateReplyConfirmsRead,

    /// <summary>The longer log counts as the newer one, whatever its last term.</summary>
    LongerLogIsNewer,

    /// <summary>A follower acknowledges its whole log instead of the part that matches.</summary>
    MatchBeyondPrefix,

    /// <summary>An append behind an entry of another term is taken.</summary>
    MismatchTakenForMatch,

    /// <summary>An append that arrives late cuts off what came after it.</summary>
    LateAppendTruncates,

    /// <summary>A term that the log no longer knows is read as zero.</summary>
    MissingTermReadAsZero,

    /// <summary>The log is not restarted behind an installed checkpoint.</summary>
    LogNotRestartedAfterInstall,

    /// <summary>The directory is not synced after a segment got its name.</summary>
    RenameNotSynced,

    /// <summary>A received checkpoint takes the old one's place before its content is synced.</summary>
    ReceivedCheckpointNotSynced,

    /// <summary>Being asked for a vote puts the own election off, granted or not; lost rounds are repeated quickly for ever.</summary>
    TimerResetWithoutVote,

    /// <summary>Campaigns begin without a pre-vote, and nobody sticks to a leader.</summary>
    NoPreVote,

    /// <summary>A leader of an earlier term is not told that there is a later one.</summary>
    HigherTermNotTold,

    /// <summary>Memberships change before an entry of the leader's term is committed.</summary>
    MembershipBeforeTermCommit,

    /// <summary>A membership is in effect when it is committed, not when it is appended.</summary>
    MembershipAtCommit,

    /// <summary>Of a joint membership only the incoming half has to agree.</summary>
    JointOfOneHalf,

    /// <summary>A membership stays in effect when its entry is truncated.</summary>
    MembershipKeptOnTruncation,

    /// <summary>A checkpoint holds the newest membership of the log instead of the one at its index.</summary>
    UncommittedMembershipInCheckpoint,

    /// <summary>A wiped node votes in the place of its former life, and is counted.</summary>
    WipedNodeVotes,

    /// <summary>A leader stamps entries with its wall clock.</summary>
    WallClockStamps,

    /// <summary>A leader with a hung disk or a stuck apply goes on.</summary>
    HungLeaderStays,

    /// <summary>An error of fdatasync is ignored.</summary>
    SyncErrorIgnored,

    /// <summary>After an error fdatasync is tried again and believed.</summary>
    SyncRetried,

    /// <summary>A bad batch is the end of the log, also when it was synced once.</summary>
    DamageTakenForTornTail,

    /// <summary>The applied index in a checkpoint is older than the state.</summary>
    AppliedIndexApart,

    /// <summary>Apply looks at which node it runs on.</summary>
    ApplyLooksAtNode,

    /// <summary>A lease that ended while there was no leader starts anew.</summary>
    LeaseRestartsAtFailover,

    /// <summary>The second copy of a request is applied too.</summary>
    RetryAppliedTwice,

    /// <summary>A state from a checkpoint does not remember which requests were applied.</summary>
    DedupLostFromCheckpoint,

    /// <summary>A node that loses leadership says of its proposals that they were not applied.</summary>
    LostLeadershipDecides,

    /// <summary>Any fence is good for a leased job.</summary>
    StaleTokenAccepted,

    /// <summary>Any verb on a lease that has ended is told ok as a repeat of the verb that ended it.</summary>
    AnyVerbIsARepeat,

    /// <summary>Every unique key is free again when its job is leased, whatever was asked for.</summary>
    KeyFreeWhenLeased,

    /// <summary>What time does to a job, the end of its lease or its turn, leaves its version as it was.</summary>
    VersionKeptByTime,

    /// <summary>The window of idempotency keys is taken for seconds where it is milliseconds.</summary>
    KeyWindowInSeconds,

    /// <summary>A new leader does not know of the timers that were set before.</summary>
    TimersOnlyInLeaderMemory,

    /// <summary>Open requests are not bounded.</summary>
    UnboundedRequests,

    /// <summary>The commit index is the median of the replies received.</summary>
    CommitByRepliesReceived,

    /// <summary>A follower acknowledges entries before they are durable.</summary>
    AcknowledgedBeforeSync,

    /// <summary>A leader counts its own entries before they are durable.</summary>
    LeaderCountsUnsynced,

    /// <summary>A page that was evicted, read back and changed leaves memory again without being written.</summary>
    StalePageAfterEviction,

    /// <summary>A checkpoint's superblock is written before what it leads to is synced.</summary>
    SuperblockBeforePages,

    /// <summary>The slots of a checkpoint that a peer still reads are used for something else.</summary>
    SlotReusedUnderReader,

    /// <summary>Pages are taken by their number, whatever index the peer's checkpoint is at.</summary>
    PagesOfAnotherIndex,

    /// <summary>A log that was cut or lost behind a checkpoint votes as if it ended there always.</summary>
    VoteFloorForgotten,

    /// <summary>A leader proposes a membership before the last one is committed.</summary>
    MembershipsOverlap,

    /// <summary>Within a term cluster time jumps to the median of the wall clocks.</summary>
    ClusterTimeJumps,

    /// <summary>From index 201 on the root page holds a byte of the node's own, on which no outcome depends.</summary>
    LocalByteInRootPage,

    /// <summary>From index 201 on pages of jobs hold one, behind the last record.</summary>
    LocalByteInJobPage,
}
#endif
