using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>A node ends while it takes over another's checkpoint, and begins again.</summary>
public sealed class AdoptionRestartTests
{
    private const int Pages = 700;

    [Fact]
    public void WhatAKilledProcessFetchedIsNotFetchedAgain()
    {
        CheckpointWorld sender = Sender();
        var receiver = new CheckpointWorld(82, residentPages: 16);
        long before = TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Continue();
        AdoptionProgress progress = Adoption.Run(sender, receiver);
        Assert.Equal(Pages, progress.PagesFetched);

        // What was in the buffer of the process is fetched once more, and the table.
        long buffered = receiver.Options.SliceBytes / PageStore.PageSize;
        Assert.InRange(progress.BytesFetched / PageStore.PageSize, 1, Pages - before + buffered + 4);
        AssertSame(sender, receiver);
    }

    [Fact]
    public void WhatAPowerLossLeftIsTakenOnlyIfItIsWhole()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            CheckpointWorld sender = Sender();
            var receiver = new CheckpointWorld(100 + seed, residentPages: 16);
            TakeHalf(sender, receiver);
            receiver.Disk.Crash(CrashMode.PowerLoss, new SplitMix64(seed));
            receiver.Continue();
            for (int i = 0; i < 20 && receiver.File.FileBytes > 0; i++)
                receiver.Disk.FlipBit(CheckpointWorld.Path, (long)(seed * 7919 * (ulong)(i + 3) % (ulong)receiver.File.FileBytes), i % 8);
            Assert.Equal(Pages, Adoption.Run(sender, receiver).PagesFetched);
            AssertSame(sender, receiver);
        }
    }

    /// <summary>It is killed again and again: each time goes on where the last one ended.</summary>
    [Fact]
    public void EveryLifeBringsItFurther()
    {
        CheckpointWorld sender = Sender();
        var receiver = new CheckpointWorld(83, residentPages: 16);
        long bytes = 0;
        for (int life = 0; life < 6; life++)
        {
            using CheckpointReader reader = sender.File.OpenReader()!;
            using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
            adopter.Verify();
            adopter.AimAt(reader);
            for (int i = 0; i < 9; i++) Adoption.Step(reader, adopter);
            bytes += adopter.Progress.BytesFetched;
            receiver.Disk.Crash(CrashMode.ProcessDeath);
            receiver.Continue();
        }

        bytes += Adoption.Run(sender, receiver).BytesFetched;
        Assert.InRange(bytes / PageStore.PageSize, Pages, Pages + (7 * (4 + (receiver.Options.SliceBytes / PageStore.PageSize))));
        AssertSame(sender, receiver);
    }

    /// <summary>It has a checkpoint of its own, loads it, and pages leave memory before it hears that it is behind.</summary>
    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void WhoHasACheckpointOfItsOwnGoesOnToo(CrashMode mode)
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(84);
        long before = TakeHalf(sender, receiver);
        if (mode == CrashMode.PowerLoss) receiver.File.Sync();
        receiver.Disk.Crash(mode);
        receiver.Reopen();
        Assert.Equal(2, receiver.File.Newest!.Index.Value);
        receiver.Churn(80);
        AdoptionProgress progress = Adoption.Run(sender, receiver);
        Assert.Equal(Pages, progress.PagesFetched);
        long buffered = receiver.Options.SliceBytes / PageStore.PageSize;
        Assert.InRange(progress.BytesFetched / PageStore.PageSize, 1, Pages - before + buffered + 4);
        AssertSame(sender, receiver);
        Assert.False(receiver.Disk.FileExists(CheckpointFile.FetchingPath(CheckpointWorld.Path)));
    }

    /// <summary>The other side has a page more at the beginning and others changed: the rest is not fetched again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheOtherSidesCheckpointMovedMeanwhile(bool hasOwn)
    {
        CheckpointWorld sender = Sender();
        for (uint page = 3; page < 9; page++) sender.Model.Free(sender.Store, page);
        sender.Checkpoint();
        CheckpointWorld receiver = hasOwn ? Behind(85) : new CheckpointWorld(85, residentPages: 16);
        long before = TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        for (int i = 0; i < 6; i++) sender.Model.Allocate(sender.Store);
        for (uint page = 1; page <= 20; page++) sender.Model.Write(sender.Store, page, sender.Random);
        sender.Checkpoint();
        receiver.Reopen();
        long buffered = receiver.Options.SliceBytes / PageStore.PageSize;
        long bytes = Adoption.Run(sender, receiver).BytesFetched;
        Assert.InRange(bytes / PageStore.PageSize, 1, Pages - before + 20 + buffered + 4);
        AssertSame(sender, receiver);
    }

    /// <summary>Not another process but another attempt: the first had no space, or was given up.</summary>
    [Fact]
    public void AnotherAttemptOfTheSameProcessGoesOnToo()
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(86);
        long before = TakeHalf(sender, receiver, out CheckpointAdopter adopter);
        adopter.Dispose();
        long buffered = receiver.Options.SliceBytes / PageStore.PageSize;
        Assert.InRange(Adoption.Run(sender, receiver).BytesFetched / PageStore.PageSize, 1, Pages - before + buffered + 4);
        AssertSame(sender, receiver);
    }

    /// <summary>
    /// The first life's fsync failed: what the second reads of it stands in the page cache alone, and no fsync of the second would bring it
    /// to the medium if it were not written again.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatAFailedSyncLostIsDurableOnceItIsTaken(bool hasOwn)
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = hasOwn ? Behind(87) : new CheckpointWorld(87, residentPages: 16);
        TakeHalf(sender, receiver);
        receiver.Disk.FailNext(DiskOperation.DataSync);
        Assert.Throws<DiskException>(receiver.File.Sync);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Reopen();
        long bytes = Adoption.Run(sender, receiver).BytesFetched;
        Assert.InRange(bytes / PageStore.PageSize, 1, (Pages / 2) + 20);
        receiver.Disk.Crash(CrashMode.PowerLoss);
        receiver.Continue();
        AssertSame(sender, receiver);
    }

    /// <summary>At every operation of the second life, which takes over what the first one left: the old or the new is whole, and the third goes on.</summary>
    [Fact]
    public void ACrashAtAnyOperationOfTheSecondLife()
    {
        CheckpointWorld sender = Sender(120);
        long operations = SecondLife(sender, null, out _);
        Assert.InRange(operations, 10, 300);
        for (long at = 1; at <= operations; at++)
        {
            foreach (CrashMode mode in new[] { CrashMode.ProcessDeath, CrashMode.PowerLoss })
            {
                SecondLife(sender, at, out CheckpointWorld receiver);
                receiver.Disk.Crash(mode);
                receiver.Continue();
                long found = receiver.File.Newest!.Index.Value;
                Assert.DoesNotContain(receiver.File.Damage, damage => damage.CheckpointIndex is not null);
                receiver.File.Verify();
                Assert.True(found is 2 or 1, $"operation {at}, {mode}: {found}");
                Assert.Equal(found, receiver.File.Newest!.Index.Value);
                Adoption.Run(sender, receiver);
                AssertSame(sender, receiver);
            }
        }
    }

    /// <summary>Found whole, and damaged before it is taken.</summary>
    [Fact]
    public void WhatTurnsBadAfterItWasFoundIsFetched()
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(92);
        TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Reopen();
        SlotMap left = receiver.File.Slots.LeftSlots();
        using CheckpointReader reader = sender.File.OpenReader()!;
        using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        adopter.Verify();
        for (uint slot = left.NextPresent(0); slot < left.End; slot = left.NextPresent(slot + 1))
        {
            if (slot % 2 == 0) receiver.Disk.FlipBit(CheckpointWorld.Path, (slot * (long)PageStore.PageSize) + 99, 2);
        }

        adopter.AimAt(reader);
        Adoption.FetchAll(reader, adopter);
        Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
        adopter.Commit();
        Assert.InRange(adopter.Progress.BytesFetched / PageStore.PageSize, (Pages / 2) + (Pages / 6), Pages - (Pages / 6));
        AssertSame(sender, receiver);
    }

    /// <summary>It was never needed: the space is free with the next checkpoint of its own.</summary>
    [Fact]
    public void WhatIsLeftIsForgottenWithTheNextCheckpoint()
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(89);
        long before = TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Reopen();
        Assert.InRange(receiver.File.Slots.LeftSlots().Count(), before - 8, receiver.File.FileBytes / PageStore.PageSize);
        receiver.Churn(10);
        receiver.Checkpoint();
        Assert.Equal(0, receiver.File.Slots.LeftSlots().Count());
        Assert.False(receiver.Disk.FileExists(CheckpointFile.FetchingPath(CheckpointWorld.Path)));
        receiver.Reopen();
        Assert.Equal(0, receiver.File.Slots.LeftSlots().Count());
    }

    /// <summary>Everything changes and leaves memory while it is held: it goes before the file grows beyond its bound.</summary>
    [Fact]
    public void WhatIsLeftIsGivenUpBeforeTheFileGrowsTooFar()
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(90, Pages);
        TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Reopen();
        Assert.True(receiver.File.Slots.LeftSlots().Count() > 0);
        long slack = 16 * receiver.Options.ExtentBytes / PageStore.PageSize;
        ChangeAll(receiver);
        using (receiver.Begin()) // four copies, if all were kept
        {
            for (uint page = 1; page <= Pages; page++)
            {
                receiver.Store.BeginStep();
                receiver.Model.Write(receiver.Store, page, receiver.Random);
                receiver.File.Tend();
                Assert.InRange(receiver.File.FileBytes / PageStore.PageSize, 1, Superblock.Places + (3 * (Pages + (Pages / 100) + 4)) + slack);
            }
        }

        Assert.Equal(0, receiver.File.Slots.LeftSlots().Count());
        Adoption.Run(sender, receiver);
        AssertSame(sender, receiver);
    }

    /// <summary>A full disk: what is held is there to be used.</summary>
    [Fact]
    public void WhatIsLeftIsGivenUpOnAFullDisk()
    {
        CheckpointWorld sender = Sender();
        CheckpointWorld receiver = Behind(91);
        TakeHalf(sender, receiver);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Disk.CapacityBytes = receiver.Disk.UsedBytes;
        receiver.Reopen();
        receiver.Churn(60);
        receiver.Checkpoint();
        receiver.Reopen();
    }

    private static long SecondLife(CheckpointWorld sender, long? crashAt, out CheckpointWorld receiver)
    {
        receiver = Behind(88);
        TakeHalf(sender, receiver, 60, out _);
        receiver.Disk.Crash(CrashMode.ProcessDeath);
        receiver.Disk.CrashAtOperation = crashAt + receiver.Disk.Operations;
        long start = receiver.Disk.Operations;
        try
        {
            receiver.Reopen();
            receiver.Churn(20);
            Adoption.Run(sender, receiver);
        }
        catch (SimulatedCrashException)
        {
            Assert.NotNull(crashAt);
        }

        return receiver.Disk.Operations - start;
    }

    /// <summary>Two checkpoints of another state.</summary>
    private static CheckpointWorld Behind(ulong seed, int pages = 60)
    {
        var world = new CheckpointWorld(seed, residentPages: 16);
        while (world.Store.AllocatedPages < pages) world.Model.Allocate(world.Store);
        for (int i = 0; i < 2; i++)
        {
            ChangeAll(world);
            world.Checkpoint();
        }

        return world;
    }

    private static void ChangeAll(CheckpointWorld world)
    {
        foreach (uint page in world.Model.Pages.Keys.ToList()) world.Model.Write(world.Store, page, world.Random);
    }

    private static CheckpointWorld Sender(int pages = Pages)
    {
        var sender = new CheckpointWorld(81);
        while (sender.Store.AllocatedPages < pages) sender.Model.Allocate(sender.Store);
        for (uint page = 1; page <= pages; page++) sender.Model.Write(sender.Store, page, sender.Random);
        sender.Checkpoint();
        return sender;
    }

    /// <summary>How many pages were taken.</summary>
    private static long TakeHalf(CheckpointWorld sender, CheckpointWorld receiver) => TakeHalf(sender, receiver, out _);

    private static long TakeHalf(CheckpointWorld sender, CheckpointWorld receiver, out CheckpointAdopter adopter) =>
        TakeHalf(sender, receiver, Pages / 2, out adopter);

    private static long TakeHalf(CheckpointWorld sender, CheckpointWorld receiver, int pages, out CheckpointAdopter adopter)
    {
        using CheckpointReader reader = sender.File.OpenReader()!;
        adopter = receiver.File.BeginAdopt(verifyOwn: false);
        adopter.Verify();
        adopter.AimAt(reader);
        while (adopter.Progress.PagesFetched < pages) Assert.True(Adoption.Step(reader, adopter));
        return adopter.Progress.PagesFetched;
    }

    private static void AssertSame(CheckpointWorld sender, CheckpointWorld receiver)
    {
        Assert.Equal(sender.File.RootHash, receiver.File.RootHash);
        using PageStore store = receiver.File.Load(new PageStoreOptions());
        sender.Model.AssertHeldBy(store);
        Assert.True(receiver.Check().IsClean);
    }
}
