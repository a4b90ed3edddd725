using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>A node without a checkpoint ends while it takes over another's, and begins again.</summary>
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

    private static CheckpointWorld Sender()
    {
        var sender = new CheckpointWorld(81);
        while (sender.Store.AllocatedPages < Pages) sender.Model.Allocate(sender.Store);
        for (uint page = 1; page <= Pages; page++) sender.Model.Write(sender.Store, page, sender.Random);
        sender.Checkpoint();
        return sender;
    }

    /// <summary>How many pages were taken.</summary>
    private static long TakeHalf(CheckpointWorld sender, CheckpointWorld receiver)
    {
        using CheckpointReader reader = sender.File.OpenReader()!;
        CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        adopter.Verify();
        adopter.AimAt(reader);
        while (adopter.Progress.PagesFetched < Pages / 2) Assert.True(Adoption.Step(reader, adopter));
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
