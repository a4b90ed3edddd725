using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>The process or the machine dies at every operation that changes the disk, one after the other.</summary>
public sealed class CheckpointCrashTests
{
    private const int PowerLosses = 3;

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public void ACrashAtAnyOperationLeavesAWholeCheckpoint(int residentPages)
    {
        long operations = RunScript(1, null, out _, residentPages);
        Assert.InRange(operations, 40, 2000);
        for (long at = 1; at <= operations; at++)
        {
            CrashAndReopen(at, 1, CrashMode.ProcessDeath, residentPages);
            for (ulong seed = 1; seed <= PowerLosses; seed++) CrashAndReopen(at, seed, CrashMode.PowerLoss, residentPages);
        }
    }

    [Fact]
    public void WhatWasReadAfterAKilledProcessIsThereAfterAPowerLossToo()
    {
        long operations = RunScript(2, null, out _);
        for (long at = 1; at <= operations; at++)
        {
            RunScript(2, at, out CheckpointWorld world);
            world.Disk.Crash(CrashMode.ProcessDeath);
            world.Reopen();
            long index = world.File.Newest?.Index.Value ?? 0;
            world.Churn(30);
            using CheckpointWriter writer = world.Begin();
            writer.RunOnce();
            world.Disk.Crash(CrashMode.PowerLoss);
            world.Reopen();
            Assert.Equal(index, world.File.Newest?.Index.Value ?? 0);
        }
    }

    [Fact]
    public void ACrashAtAnyOperationOfAnAdoptionLeavesTheOldOrTheNew()
    {
        CheckpointWorld sender = Sender();
        foreach (bool repairs in new[] { false, true })
        {
            long operations = Adopt(sender, repairs, 1, null, out _);
            Assert.InRange(operations, 8, 500);
            for (long at = 1; at <= operations + 1; at++)
            {
                AdoptAndCrash(sender, repairs, at, 1, CrashMode.ProcessDeath);
                for (ulong seed = 1; seed <= PowerLosses; seed++) AdoptAndCrash(sender, repairs, at, seed, CrashMode.PowerLoss);
            }
        }
    }

    [Fact]
    public void AFailedSyncLeavesTheWriterAndTheNextProcessIsSafe()
    {
        RunScript(3, null, out CheckpointWorld counted);
        long syncs = counted.Disk.CountOf(DiskOperation.DataSync);
        for (int nth = 1; nth <= syncs; nth++)
        {
            var world = new CheckpointWorld(3);
            world.Disk.FailNext(DiskOperation.DataSync, nth);
            Assert.Throws<RaftQueue.Primitives.DiskException>(() => Script(world));
            world.Disk.Crash(CrashMode.ProcessDeath);
            world.Reopen();
            long index = world.File.Newest?.Index.Value ?? 0;
            world.Disk.Crash(CrashMode.PowerLoss);
            world.Reopen();
            Assert.Equal(index, world.File.Newest?.Index.Value ?? 0);
            world.Churn(10);
            world.Checkpoint();
            world.Reopen();
        }
    }

    private static void CrashAndReopen(long at, ulong seed, CrashMode mode, int residentPages)
    {
        RunScript(seed, at, out CheckpointWorld world, residentPages);
        long before = world.LastCommitted;
        world.Disk.Crash(mode);
        world.Reopen();
        long found = world.File.Newest?.Index.Value ?? 0;
        Assert.True(
            found == before || found == before + 1,
            $"operation {at}, seed {seed}, {mode}: committed {before}, found {found}");
        world.Churn(20);
        world.Checkpoint();
        world.Reopen();
        Assert.Equal(world.LastIndex, world.File.Newest!.Index.Value);
    }

    private static long RunScript(ulong seed, long? crashAt, out CheckpointWorld world, int residentPages = 0)
    {
        world = new CheckpointWorld(seed, residentPages: residentPages);
        world.Disk.CrashAtOperation = crashAt + world.Disk.Operations;
        long start = world.Disk.Operations;
        try
        {
            Script(world);
        }
        catch (SimulatedCrashException)
        {
            Assert.NotNull(crashAt);
        }

        return world.Disk.Operations - start;
    }

    private static void Script(CheckpointWorld world)
    {
        for (int i = 0; i < 4; i++)
        {
            world.Churn(60);
            world.Checkpoint(between: 5);
        }

        world.Reopen();
        world.Churn(60);
        world.Checkpoint();
        world.File.ReserveAhead();
        world.Churn(60);
        world.Checkpoint();
    }

    private static CheckpointWorld Sender()
    {
        var sender = new CheckpointWorld(77);
        for (int i = 0; i < 9; i++)
        {
            sender.Churn(60);
            sender.Checkpoint();
        }

        return sender;
    }

    private static void AdoptAndCrash(CheckpointWorld sender, bool repairs, long at, ulong seed, CrashMode mode)
    {
        bool finished = Adopt(sender, repairs, seed, at, out CheckpointWorld world) < at;
        world.Disk.Crash(mode);
        world.File.Dispose();
        CheckpointFile file = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        long found = file.Newest!.Index.Value;
        Assert.True(!finished || found == 9, $"a finished adoption was lost, seed {seed}, operation {at}");
        using (PageStore loaded = file.Load(new PageStoreOptions()))
        {
            if (found == 9) sender.Model.AssertHeldBy(loaded);
            else world.ByIndex[found].AssertHeldBy(loaded);
        }

        // What was found stays found, and the same adoption goes through from here.
        world.Disk.Crash(CrashMode.PowerLoss);
        world.Continue();
        Assert.Equal(found, world.File.Newest!.Index.Value);
        Adoption.Run(sender, world, repairs);
        CheckpointAdoptionTests.AssertSame(sender, world);
    }

    private static long Adopt(CheckpointWorld sender, bool repairs, ulong seed, long? crashAt, out CheckpointWorld world)
    {
        world = new CheckpointWorld(seed);
        for (int i = 0; i < 3; i++)
        {
            world.Churn(30);
            world.Checkpoint();
        }

        world.Disk.CrashAtOperation = crashAt + world.Disk.Operations;
        long start = world.Disk.Operations;
        try
        {
            Adoption.Run(sender, world, repairs);
        }
        catch (SimulatedCrashException)
        {
            Assert.NotNull(crashAt);
        }

        return world.Disk.Operations - start;
    }
}
