using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

public sealed class CheckpointSpaceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    public void AThousandCheckpointsOfChurnTakeBoundedSpace(int residentPages)
    {
        var world = new CheckpointWorld(21, residentPages: residentPages);
        for (int i = 0; i < 300; i++) world.Model.Allocate(world.Store);
        long largest = 0;
        for (int i = 0; i < 1000; i++)
        {
            world.Churn(60, 320);
            world.Checkpoint();
            largest = Math.Max(largest, world.Store.AllocatedPages);
        }

        // The newest; what the older has else and what the next adds, at most 60 pages and 4 nodes each; an extent ahead. Where pages leave
        // memory the file has room for writing in runs, within its bound.
        long needed = largest + 5 + (2 * (60 + 5)) + (world.Options.ExtentBytes / PageStore.PageSize) + Superblock.Places;
        long bound = residentPages == 0 ? needed : 3 * (largest + 5);
        Assert.InRange(world.File.FileBytes / PageStore.PageSize, 1, bound);
        CheckpointCheckReport report = world.Check();
        Assert.True(report.IsClean);
        world.Reopen();
    }

    [Fact]
    public void TheFileIsCutInSmallSteps()
    {
        CheckpointWorld world = Purged(residentPages: 0);
        for (int i = 0; i < 4; i++) world.Checkpoint();
        long most = 0;
        int steps = 0;
        for (bool more = true; more; steps++)
        {
            long before = world.File.FileBytes;
            more = world.File.Trim();
            most = Math.Max(most, before - world.File.FileBytes);
        }

        Assert.Equal(16 * world.Options.ExtentBytes, most);
        Assert.True(steps > 2, $"{steps} steps");
        world.Model.AssertHeldBy(world.Store);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public void AfterAPurgeTheFileShrinksToThreeTimesTheState(int residentPages)
    {
        CheckpointWorld world = Purged(residentPages);
        for (int i = 0; i < 8; i++)
        {
            world.Churn(5, 60);
            world.Checkpoint(between: 1);
            while (world.File.Trim())
            {
            }

            world.Model.AssertHeldBy(world.Store);
        }

        long extent = world.Options.ExtentBytes / PageStore.PageSize;
        long live = world.Store.AllocatedPages + 8;
        Assert.InRange(world.File.FileBytes / PageStore.PageSize, 1, (3 * live) + (7 * extent));
        Assert.True(world.Check().IsClean);
        Assert.Equal(world.File.Slots.Slots - Superblock.Places - world.File.Slots.BusySlots, world.File.Slots.FreeSlots);
        world.Reopen();
        world.Churn(50, 60);
        world.Checkpoint();
        world.Reopen();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public void ACrashAtAnyOperationOfMovingLeavesAWholeCheckpoint(int residentPages)
    {
        for (long at = 1; at < 400; at++)
        {
            CheckpointWorld world = Purged(residentPages);
            world.Disk.CrashAtOperation = world.Disk.Operations + at;
            bool crashed = false;
            try
            {
                for (int i = 0; i < 4; i++)
                {
                    world.Churn(5, 60);
                    world.Checkpoint(between: 1);
                    while (world.File.Trim())
                    {
                    }
                }
            }
            catch (SimulatedCrashException)
            {
                crashed = true;
            }

            world.Disk.Crash(at % 2 == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
            long before = world.LastCommitted;
            world.Reopen();
            Assert.InRange(world.File.Newest!.Index.Value, before, before + 1);
            world.Checkpoint();
            Assert.True(world.Check().IsClean);
            if (!crashed)
            {
                Assert.InRange(at, 20, 399);
                return;
            }
        }

        Assert.Fail("the script ends");
    }

    private static CheckpointWorld Purged(int residentPages)
    {
        var world = new CheckpointWorld(28, residentPages: residentPages);
        for (int i = 1; i < 900; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        for (uint page = 1; page <= 900; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        for (uint page = 2; page <= 900; page++)
        {
            if (page % 30 != 0) world.Model.Free(world.Store, page);
        }

        return world;
    }

    [Fact]
    public void AReaderKeepsItsCheckpointAndGivesTheSpaceBack()
    {
        var world = new CheckpointWorld(22);
        world.Churn(200, 100);
        world.Checkpoint();
        StateModel kept = world.ByIndex[world.LastIndex];
        CheckpointReader reader = world.File.OpenReader()!;
        for (int i = 0; i < 50; i++)
        {
            world.Churn(100, 100);
            world.Checkpoint();
        }

        long withReader = world.File.FileBytes;
        var receiver = new CheckpointWorld(23);
        using (CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false))
        {
            adopter.AimAt(reader);
            Adoption.FetchAll(reader, adopter);
            Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
            adopter.Commit();
        }

        using PageStore received = receiver.File.Load(new PageStoreOptions());
        kept.AssertHeldBy(received);
        reader.Dispose();
        for (int i = 0; i < 50; i++)
        {
            world.Churn(100, 100);
            world.Checkpoint();
        }

        Assert.InRange(world.File.FileBytes, 1, withReader + world.Options.ExtentBytes);
    }

    [Fact]
    public void AFullDiskIsAnOutcomeAndLosesNothing()
    {
        var world = new CheckpointWorld(23);
        world.Churn(150);
        world.Checkpoint();
        world.Disk.CapacityBytes = world.File.FileBytes;
        for (int i = 0; i < 200; i++) world.Model.Allocate(world.Store);
        CheckpointWriter writer = world.Begin();
        while (writer.RunOnce())
        {
        }

        Assert.Equal(CheckpointOutcome.DiskFull, writer.Outcome);
        Assert.False(world.Store.IsFrozen);
        Assert.Equal(1, world.File.Newest!.Index.Value);
        Assert.True(world.Check().IsClean);

        // Space again: the same changes and newer ones are in the next checkpoint.
        world.Disk.CapacityBytes = null;
        world.Churn(50, 300);
        ulong hash = world.Store.ComputeRootHash();
        Assert.Equal(hash, world.Checkpoint());
        world.Reopen();
        Assert.Equal(3, world.File.Newest!.Index.Value);
    }

    [Theory]
    [InlineData(DiskOperation.Write)]
    [InlineData(DiskOperation.Allocate)]
    public void NoSpaceAtAnyCallOfAWriterIsTheOutcome(DiskOperation kind)
    {
        const int NoSpace = 28;
        for (int nth = 1; ; nth++)
        {
            var world = new CheckpointWorld(27);
            world.Churn(100);
            world.Checkpoint();
            for (int i = 0; i < 60; i++) world.Model.Allocate(world.Store);
            world.Disk.FailNext(kind, nth, NoSpace);
            CheckpointWriter writer = world.Begin();
            while (writer.RunOnce())
            {
            }

            if (writer.Outcome == CheckpointOutcome.Ready)
            {
                Assert.InRange(nth, 3, 100);
                return;
            }

            Assert.Equal(CheckpointOutcome.DiskFull, writer.Outcome);
            world.Churn(20, 100);
            Assert.Equal(world.Store.ComputeRootHash(), world.Checkpoint());
            world.Reopen();
            Assert.Equal(3, world.File.Newest!.Index.Value);
        }
    }

    [Fact]
    public void SpaceTakenAheadLetsTheNextCheckpointFinishOnAFullDisk()
    {
        var world = new CheckpointWorld(24);
        for (int i = 0; i < 100; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        while (world.File.ReserveAhead())
        {
        }

        world.Disk.CapacityBytes = world.File.FileBytes;
        for (uint page = 1; page <= 101; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        Assert.False(world.File.ReserveAhead());
        world.Reopen();
        Assert.Equal(2, world.File.Newest!.Index.Value);
    }
}
