using RaftQueue.Primitives;
using static RaftQueue.Simulation.FaultPattern;
using static RaftQueue.Simulation.Shapes;

namespace RaftQueue.Simulation;

/// <summary>Every planted mistake with the runs that show it soonest, and those that the simulator cannot show, with the reason.</summary>
internal static class PlantedCatalog
{
    public static IReadOnlyList<PlantedCase> Caught { get; } =
    [
        new(PlantedBug.VoteBeforeDurable, 1, 150, Late(Often(3, 150, Die, LosePower, Disconnect, HangLog, HangLog, CutPair))),
        new(PlantedBug.ReadBeforeOwnTermEntry, 4, 40, Often(Isolate, Die, Disconnect)),
        new(PlantedBug.MatchBeyondPrefix, 7, 60, Busy(Often(Isolate, OneWay, Die))),
        new(PlantedBug.LateAppendTruncates, 8, 60, Busy(Replayed(Often(Disconnect, Isolate, Die)))),
        new(PlantedBug.LogNotRestartedAfterInstall, 9, 60, Big(Often(Isolate, Wipe, Wipe))),
        new(PlantedBug.RenameNotSynced, 10, 60, Often(AllCrash, PowerRound, LosePower)),
        new(PlantedBug.TimerResetWithoutVote, 11, 60, Often(Isolate, Die, LosePower)),
        new(PlantedBug.MembershipAtCommit, 14, 60, Often(Wipe, Wipe, Isolate, Die)),
        new(PlantedBug.UncommittedMembershipInCheckpoint, 14, 60, Big(Often(Wipe, Wipe, Isolate, CutPair))),
        new(PlantedBug.WallClockStamps, 15, 10, Often(JumpWall, Isolate)),
        new(PlantedBug.AppliedIndexApart, 19, 20, Big(Often(Die, LosePower))),
        new(PlantedBug.ApplyLooksAtNode, 20, 10, Often(Die)),
        new(PlantedBug.RetryAppliedTwice, 22, 40, Often(Disconnect, Isolate, Die)),
        new(PlantedBug.LostLeadershipDecides, 22, 40, Often(Isolate, OneWay, Pause)),
        new(PlantedBug.StaleTokenAccepted, 23, 10, Often(Die)),
        new(PlantedBug.LeaderCountsUnsynced, 0, 60, Often(3, 300, PowerRound, LosePower, HangLog)),
        new(PlantedBug.DedupLostFromCheckpoint, 22, 60, Busy(Late(VeryBig(Often(Die, LosePower, Disconnect, Disconnect, Isolate))))),
        new(PlantedBug.AcknowledgedBeforeSync, 0, 60, Often(3, 200, PowerRound, LosePower, HangLog, HangLog)),
        new(PlantedBug.SyncErrorIgnored, 17, 100, Often(3, 250, DiskError, DiskError, LosePower, LosePower, PowerRound)),
        new(PlantedBug.SyncRetried, 17, 100, Often(3, 250, DiskError, DiskError, LosePower, LosePower, PowerRound)),
        new(PlantedBug.LongerLogIsNewer, 6, 100, Busy(Rounds(3, 4, 3_000, LongLogReturns))),
        new(PlantedBug.MissingTermReadAsZero, 9, 40, VeryBig(Rounds(3, 2, 6_000, FollowerIsAwayForLong))),
        new(PlantedBug.HigherTermNotTold, 13, 40, Rounds(3, 4, 2_000, MuteNodeIsToLead)),
        new(PlantedBug.MembershipBeforeTermCommit, 14, 100, Rounds(3, 5, 2_500, LeaderFallsInAChange)),
        .. PlantedPages.Caught,
    ];

    /// <summary>The runs that should show them do not yet.</summary>
    public static IReadOnlyList<PlantedCase> Hunted { get; } =
    [
        new(PlantedBug.OldTermCommittedByCounting, 3, 150, Rounds(5, 40, 400, LeadersFall)),
        new(PlantedBug.LeaseRestartsAtFailover, 21, 20, Often(Isolate, Die)),
        new(PlantedBug.TimersOnlyInLeaderMemory, 24, 40, Often(Die, Stop)),
        new(PlantedBug.VoteClearedOnStepDown, 2, 150, Replayed(Often(3, 150, Disconnect, Disconnect, CutPair, Stop, Pause))),
        new(PlantedBug.LateReplyConfirmsRead, 5, 150, Replayed(Often(3, 150, Isolate, Pause, OneWay))),
        new(PlantedBug.MismatchTakenForMatch, 7, 100, Busy(Rounds(3, 4, 3_000, LongLogReturns))),
        new(PlantedBug.WipedNodeVotes, 14, 100, Often(3, 150, Wipe, Wipe, CutPair, Die, Isolate)),
        new(PlantedBug.CommitByRepliesReceived, 0, 100, Busy(Rounds(3, 30, 400, LeadersFall))),
        new(PlantedBug.MembershipKeptOnTruncation, 14, 100, Often(5, 200, Wipe, Wipe, Isolate, CutPair)),
        new(PlantedBug.DamageTakenForTornTail, 18, 100, Often(3, 250, Damage, Damage, Damage, Die, LosePower)),
        new(PlantedBug.NoPreVote, 12, 40, MajorityFirst(Often(3, 1_000, Isolate, Die))),
    ];

    public static IReadOnlyList<(PlantedBug Bug, int Number, string Reason)> Others { get; } =
    [
        (PlantedBug.UnboundedRequests, 25, "memory and threads under load are those of real processes"),
        (PlantedBug.TermBeforeDurable, 1, "not provoked: votes are durable by themselves, so that only a leader that leads one term twice could show it"),
        (PlantedBug.ReceivedCheckpointNotSynced, 10, "opening a checkpoint syncs it, and a torn one is noticed by its checksums and fetched again"),
        (PlantedBug.HungLeaderStays, 16, "followers commit without the leader's disk; a call that hangs inside a thread needs a real process"),
        (PlantedBug.JointOfOneHalf, 14, "every change moves one voter, so that majorities of both halves meet anyway"),
    ];
}
