using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

public sealed class CheckpointModelTests
{
    /// <summary>Random steps, freezes, slices, commits, aborts, crashes and loads against a dictionary.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(16, false)]
    [InlineData(40, false)]
    [InlineData(16, true)]
    [InlineData(40, true)]
    public void WhatIsLoadedIsWhatWasCommitted(int residentPages, bool writesAhead) =>
        Prop.ForAll(ArbMap.Default.ArbFor<ushort[]>(), steps => Run(steps, residentPages, writesAhead))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithStartSize(50).WithEndSize(600));

    [Fact]
    public void AllocationAndRootHashDoNotDependOnWhenCheckpointsWereTaken()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var often = new CheckpointWorld(seed, residentPages: (int)(seed % 3) * 16, writesAhead: seed % 2 == 0);
            var once = new CheckpointWorld(seed);
            var reloaded = new CheckpointWorld(seed, residentPages: 16);
            for (int round = 0; round < 12; round++)
            {
                often.Churn(25);
                once.Churn(25);
                reloaded.Churn(25);
                often.Checkpoint();
                if (round % 3 != 1) continue;
                reloaded.Checkpoint();
                reloaded.Reopen();
            }

            ulong hash = once.Store.ComputeRootHash();
            Assert.Equal(hash, once.Checkpoint());
            Assert.Equal(hash, often.Checkpoint());
            Assert.Equal(hash, reloaded.Checkpoint());
            Assert.Equal(once.Store.FreePages, often.Store.FreePages);
            Assert.Equal(once.Store.FreePages, reloaded.Store.FreePages);
            PageNumber next = once.Store.Allocate();
            Assert.Equal(next, often.Store.Allocate());
            Assert.Equal(next, reloaded.Store.Allocate());
        }
    }

    [Fact]
    public void AnUnchangedStateCostsNoBlocks()
    {
        var world = new CheckpointWorld(5);
        world.Churn(200);
        ulong hash = world.Checkpoint();
        using (CheckpointWriter writer = world.Begin())
        {
            Assert.False(writer.RunOnce());
            Assert.Equal(0, writer.BlocksWritten);
            Assert.Equal(hash, writer.RootHash);
            writer.Commit();
        }

        world.Reopen();
        Assert.Equal(2, world.File.Newest!.Index.Value);
    }

    [Fact]
    public void OneChangedPageCostsItselfAndTheNodesAboveIt()
    {
        var world = new CheckpointWorld(6, new CheckpointOptions());
        for (int i = 0; i < 66_000; i++) world.Store.Allocate();
        for (uint page = 2; page <= 65_500; page++) world.Store.Free(new PageNumber(page));
        using (CheckpointWriter all = world.File.BeginWrite(world.Store.Freeze(CheckpointWorld.InfoFor(1))))
        {
            while (all.RunOnce())
            {
            }

            Assert.Equal(502 + 4 + 2 + 1, all.BlocksWritten); // pages, leaves, middle nodes, root
            all.Commit();
        }

        using (PageHandle page = world.Store.Pin(new PageNumber(66_000), PageIntent.Write)) page.Write[1] = 1;
        using CheckpointWriter one = world.File.BeginWrite(world.Store.Freeze(CheckpointWorld.InfoFor(2)));
        Assert.False(one.RunOnce());
        Assert.Equal(4, one.BlocksWritten);
        Assert.Equal(world.Store.ComputeRootHash(), one.RootHash);
    }

    /// <summary>Whole leaves of the table come and go.</summary>
    [Fact]
    public void LeavesThatEmptyAndFillAgainLeaveNoTrace()
    {
        var world = new CheckpointWorld(8);
        for (int i = 0; i < 1500; i++) world.Store.Allocate();
        for (int round = 0; round < 12; round++)
        {
            uint first = 2 + (uint)world.Random.NextBelow(1000);
            uint count = 200 + (uint)world.Random.NextBelow(400);
            for (uint page = first; page < first + count; page++)
            {
                if (world.Store.IsAllocated(new PageNumber(page))) world.Store.Free(new PageNumber(page));
            }

            for (int i = (int)world.Random.NextBelow(300); i > 0; i--) world.Store.Allocate();
            ulong hash = world.Store.ComputeRootHash();
            Assert.Equal(hash, world.Checkpoint());
            CheckpointFile again = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
            using PageStore loaded = again.Load(new PageStoreOptions());
            Assert.Equal(hash, loaded.ComputeRootHash());
            Assert.Equal(world.Store.FreePages, loaded.FreePages);
        }
    }

    [Fact]
    public void NoMoreThanTheBoundIsWrittenBetweenTwoSyncs()
    {
        var world = new CheckpointWorld(7);
        long unsynced = 0;
        long most = 0;
        world.Disk.OnOperation = (kind, _) =>
        {
            if (kind is DiskOperation.DataSync or DiskOperation.Allocate) unsynced = 0;
            if (kind != DiskOperation.Write) return;

            // Every write counts as a whole slice, the longest there is.
            most = Math.Max(most, unsynced += world.Options.SliceBytes);
        };
        for (int i = 0; i < 2000; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        for (uint page = 1; page <= 2000; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        Assert.InRange(most, 1, world.Options.SyncBytes);
    }

    // Each number is a step: the kind of step and what it touches are drawn from it, so that a shorter list is a simpler case.
    private static void Run(ushort[] steps, int residentPages, bool writesAhead)
    {
        var world = new CheckpointWorld((ulong)steps.Length, residentPages: residentPages, writesAhead: writesAhead);
        CheckpointWriter? writer = null;
        long committed = 0;
        ulong hash = 0;
        foreach (ushort step in steps)
        {
            var random = new SplitMix64(step);
            long kind = random.NextBelow(40);
            if (kind < 30)
            {
                world.Model.Step(world.Store, random, 60);
                world.WriteSomeAhead();
                world.AssertBounded();
            }
            else if (kind < 37 && writer is null)
            {
                hash = world.Store.ComputeRootHash();
                writer = world.Begin();
            }
            else if (kind < 37)
            {
                if (Advance(writer!, hash, ref committed)) writer = null;
            }
            else if (kind < 38)
            {
                writer?.Abort();
                writer = null;
            }
            else
            {
                writer = null;
                if (kind == 38) world.Disk.Crash(random.NextBelow(2) == 0 ? CrashMode.ProcessDeath : CrashMode.PowerLoss);
                world.Reopen();
                Assert.Equal(committed, world.File.Newest?.Index.Value ?? 0);
            }
        }

        world.Model.AssertHeldBy(world.Store);
        Assert.True(world.Check().IsClean);
    }

    /// <summary>One slice, or the commit; true when that ended it.</summary>
    private static bool Advance(CheckpointWriter writer, ulong hash, ref long committed)
    {
        if (writer.Outcome == CheckpointOutcome.Writing)
        {
            writer.RunOnce();
            return false;
        }

        Assert.Equal(hash, writer.RootHash);
        writer.Commit();
        committed = writer.Info.Index.Value;
        return true;
    }
}
