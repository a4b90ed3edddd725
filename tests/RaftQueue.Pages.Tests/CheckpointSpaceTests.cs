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

        // The newest; what the older has else and what the next adds, at most 60 pages and 4 nodes each; an extent ahead.
        long bound = largest + 5 + (2 * (60 + 5)) + (world.Options.ExtentBytes / PageStore.PageSize) + Superblock.Places;
        Assert.InRange(world.File.FileBytes / PageStore.PageSize, 1, bound);
        CheckpointCheckReport report = world.Check();
        Assert.True(report.IsClean);
        world.Reopen();
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
