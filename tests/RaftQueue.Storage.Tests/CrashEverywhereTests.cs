using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>
/// A scripted life of a log (appends, hard states, supersession, rotation, release and recycling, a restart) is ended at
/// every single operation of the disk, by process death or power loss; then the recovery is ended at every one of its
/// operations too. What was reported must be there, and nothing that was never appended.
/// </summary>
public sealed class CrashEverywhereTests
{
    private static readonly WalOptions Options = new() { SegmentBytes = 64 * 1024, ReserveSegments = 1, Shards = 2 };

    [Theory]
    [InlineData(CrashMode.ProcessDeath, CrashMode.ProcessDeath, true)]
    [InlineData(CrashMode.ProcessDeath, CrashMode.PowerLoss, true)]
    [InlineData(CrashMode.PowerLoss, CrashMode.PowerLoss, true)]
    [InlineData(CrashMode.PowerLoss, CrashMode.ProcessDeath, true)]
    [InlineData(CrashMode.ProcessDeath, CrashMode.PowerLoss, false)]
    [InlineData(CrashMode.PowerLoss, CrashMode.PowerLoss, false)]
    public void WhatWasReportedIsThereAfterACrashAtAnyOperation(CrashMode first, CrashMode second, bool syncBeforeReply)
    {
        long operations = CountOperations(syncBeforeReply);
        Assert.InRange(operations, 60, 1000);
        for (long at = 1; at <= operations; at++)
        {
            for (ulong seed = 1; seed <= 2; seed++)
            {
                ScriptedLife life = Live(seed, at, syncBeforeReply);
                life.CrashAndCheck(first, $"crash at {at}, seed {seed}, {first}");
                life.GoOn();
                life.CrashAndCheck(second, $"crash at {at}, seed {seed}, {first} then {second}");
            }
        }
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath, CrashMode.ProcessDeath)]
    [InlineData(CrashMode.ProcessDeath, CrashMode.PowerLoss)]
    [InlineData(CrashMode.PowerLoss, CrashMode.PowerLoss)]
    [InlineData(CrashMode.PowerLoss, CrashMode.ProcessDeath)]
    public void RecoveryMayBeEndedAtAnyOperationToo(CrashMode first, CrashMode second)
    {
        long operations = CountOperations(syncBeforeReply: true);
        for (long at = 3; at <= operations; at += 7)
        {
            for (long during = 1; during <= 40; during++)
            {
                ScriptedLife life = Live((ulong)(at + (during * 1000)), at, syncBeforeReply: true);
                bool ended = life.CrashDuringRecovery(first, during);
                life.CrashAndCheck(second, $"crash at {at}, recovery at {during}, {first} then {second}");
                if (!ended) break;
            }
        }
    }

    [Fact]
    public void PowerLossAfterAFailedSyncLosesOnlyWhatWasNotReported()
    {
        for (int nth = 1; nth <= 40; nth++)
        {
            var life = new ScriptedLife(Options, (ulong)nth);
            life.Begin();
            life.Disk.FailNext(DiskOperation.DataSync, nth);
            DiskException? failure = null;
            try
            {
                life.RunAll();
            }
            catch (DiskException thrown)
            {
                failure = thrown;
            }

            if (failure is null) continue;
            Assert.Equal(5, failure.Errno);

            // The process stops; the page cache still shows what the medium never got.
            life.CrashAndCheck(CrashMode.ProcessDeath, $"failed sync {nth}");
            life.CrashAndCheck(CrashMode.PowerLoss, $"failed sync {nth}, then power loss");
        }
    }

    private static long CountOperations(bool syncBeforeReply)
    {
        var life = new ScriptedLife(Options with { SyncBeforeReply = syncBeforeReply }, 1);
        life.Begin();
        life.RunAll();
        return life.Disk.Operations;
    }

    private static ScriptedLife Live(ulong seed, long crashAt, bool syncBeforeReply)
    {
        var life = new ScriptedLife(Options with { SyncBeforeReply = syncBeforeReply }, seed);
        life.Disk.CrashAtOperation = crashAt;
        try
        {
            life.Begin();
            life.RunAll();
        }
        catch (SimulatedCrashException)
        {
            return life;
        }

        Assert.Fail($"operation {crashAt} was never reached");
        return life;
    }
}
