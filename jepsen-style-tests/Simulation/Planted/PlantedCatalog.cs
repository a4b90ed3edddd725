using RaftQueue.Primitives;
using static RaftQueue.Simulation.Directed;
using static RaftQueue.Simulation.FaultPattern;
using static RaftQueue.Simulation.Shapes;

namespace RaftQueue.Simulation;

/// <summary>Every planted mistake with the runs that show it soonest, and those that the simulator cannot show, with the reason.</summary>
internal static class PlantedCatalog
{
    public static IReadOnlyList<PlantedCase> Caught { get; } =
    [
        new(PlantedBug.VoteBeforeDurable, 1, "P10", 25, Rounds(3, 4, 3_000, VoteIsForgotten)),
        new(PlantedBug.ReadBeforeOwnTermEntry, 4, "P6", 40, Often(Isolate, Die, Disconnect)),
        new(PlantedBug.MatchBeyondPrefix, 7, "P10", 60, Busy(Often(Isolate, OneWay, Die))),
        new(PlantedBug.LateAppendTruncates, 8, "what is committed is held", 60, Busy(Replayed(Often(Disconnect, Isolate, Die)))),
        new(PlantedBug.LogNotRestartedAfterInstall, 9, "entries follow an entry that is held", 60, Big(Often(Isolate, Wipe, Wipe))),
        new(PlantedBug.RenameNotSynced, 10, "P10", 60, Often(AllCrash, PowerRound, LosePower)),
        new(PlantedBug.TimerResetWithoutVote, 11, "P11", 60, Often(Isolate, Die, LosePower)),
        new(PlantedBug.MembershipAtCommit, 14, "P10", 60, Often(Wipe, Wipe, Isolate, Die)),
        new(PlantedBug.UncommittedMembershipInCheckpoint, 14, "a checkpoint holds the membership in effect at its index", 60, Big(Often(Wipe, Wipe, Isolate, CutPair))),
        new(PlantedBug.WallClockStamps, 15, "P5", 10, Often(JumpWall, Isolate)),
        new(PlantedBug.AppliedIndexApart, 19, "P10", 20, Big(Often(Die, LosePower))),
        new(PlantedBug.ApplyLooksAtNode, 20, "P10", 10, Often(Die)),
        new(PlantedBug.RetryAppliedTwice, 22, "P9", 40, Often(Disconnect, Isolate, Die)),
        new(PlantedBug.LostLeadershipDecides, 22, "P1", 40, Often(Isolate, OneWay, Pause)),
        new(PlantedBug.StaleTokenAccepted, 23, "P2", 10, Often(Die)),
        new(PlantedBug.AnyVerbIsARepeat, 0, "P3", 20, Often(Die)),
        new(PlantedBug.KeyFreeWhenLeased, 0, "P4", 20, Often(Die)),
        new(PlantedBug.VersionKeptByTime, 0, "P8", 40, Clients(12, 20, Often(Die))),
        new(PlantedBug.KeyWindowInSeconds, 22, "P9", 20, Often(Die)),
        new(PlantedBug.LeaderCountsUnsynced, 0, "P10", 60, Often(3, 300, PowerRound, LosePower, HangLog)),
        new(PlantedBug.DedupLostFromCheckpoint, 22, "P10", 60, Busy(Late(VeryBig(Often(Die, LosePower, Disconnect, Disconnect, Isolate))))),
        new(PlantedBug.AcknowledgedBeforeSync, 0, "P10", 60, Often(3, 200, PowerRound, LosePower, HangLog, HangLog)),
        new(PlantedBug.SyncErrorIgnored, 17, "P10", 25, Often(3, 250, DiskError, DiskError, LosePower, LosePower, PowerRound)),
        new(PlantedBug.SyncRetried, 17, "P10", 25, Often(3, 250, DiskError, DiskError, LosePower, LosePower, PowerRound)),
        new(PlantedBug.LongerLogIsNewer, 6, "P10", 25, Clients(100, 800, Rounds(3, 4, 3_000, LongerTailReturns))),
        new(PlantedBug.MissingTermReadAsZero, 9, "what is committed stands in every later leader's log", 40, VeryBig(Rounds(3, 2, 6_000, FollowerIsAwayForLong))),
        new(PlantedBug.HigherTermNotTold, 13, "P11", 25, Clients(2, 300, Rounds(3, 1, 2_000, MuteNodeIsToLead))),
        new(PlantedBug.MembershipBeforeTermCommit, 14, "P10", 25, Rounds(5, 3, 4_000, LeaderDiesInAChange)),
        new(PlantedBug.OldTermCommittedByCounting, 3, "P10", 25, Rounds(5, 15, 400, LeadersFall)),
        new(PlantedBug.LeaseRestartsAtFailover, 21, "P1", 20, Often(Isolate, Die)),
        new(PlantedBug.TimersOnlyInLeaderMemory, 24, "P11", 25, Clients(2, 1_000, Often(3, 1_500, Die, Stop))),
        new(PlantedBug.VoteClearedOnStepDown, 2, "P10", 25, Replayed(Rounds(3, 6, 1_200, VotesSplit))),
        new(PlantedBug.LateReplyConfirmsRead, 5, "P6", 25, Clients(12, 30, Rounds(3, 4, 2_500, AnswersComeLate))),
        new(PlantedBug.MismatchTakenForMatch, 7, "P10", 25, Clients(100, 800, Rounds(3, 6, 2_500, TwoLeadersLater))),
        new(PlantedBug.WipedNodeVotes, 14, "P10", 25, Rounds(3, 3, 4_000, VoterIsWiped)),
        new(PlantedBug.CommitByRepliesReceived, 0, "P10", 25, Rounds(3, 10, 400, LeadersFall)),
        new(PlantedBug.MembershipKeptOnTruncation, 14, "P10", 25, Rounds(5, 3, 4_000, MembershipIsOverwritten)),
        new(PlantedBug.JointOfOneHalf, 14, "P10", 25, Rounds(3, 3, 3_500, NewVoterAndHalfAreAlone)),
        new(PlantedBug.TermBeforeDurable, 1, "P10", 25, Rounds(5, 3, 2_000, TermIsForgotten)),
        new(PlantedBug.HungLeaderStays, 16, "P11", 25, Often(3, 300, HangLog)),
        new(PlantedBug.DamageTakenForTornTail, 18, "P10", 25, Clients(1, 500, Rounds(3, 10, 1_000, LogIsDamaged))),
        new(PlantedBug.NoPreVote, 12, "P11", 25, DeafOnesStay(Often(3, 2_000, Isolate, Die))),
        new(PlantedBug.MembershipsOverlap, 14, "P10", 25, Often(Wipe, ChangeMembers, Die)),
        new(PlantedBug.ClusterTimeJumps, 15, "P5", 25, Often(JumpWall, Isolate)),
        new(PlantedBug.UnboundedRequests, 25, "P11", 25, Refusing(4, Clients(40, 20, Often(Isolate, Die)))),
        .. PlantedPages.Caught,
    ];

    public static IReadOnlyList<(PlantedBug Bug, int Number, string Reason)> Others { get; } =
    [
        (PlantedBug.ReceivedCheckpointNotSynced, 10, "opening a checkpoint syncs it, and a torn one is noticed by its checksums and fetched again"),
    ];
}
