using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>Pages that another loop writes before their memory is needed, and what happens to them meanwhile.</summary>
public sealed class WriteAheadTests
{
    private const int Pages = 400;
    private const int Resident = 80;

    [Fact]
    public void WhoeverNeedsAPageWritesNoneWhileTheWriterKeepsUp()
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(71);
        long before = world.Store.Counters.EvictionWaits;
        long writes = 0;
        for (int round = 0; round < 5; round++)
        {
            for (uint page = 1; page <= Pages; page++)
            {
                world.Store.BeginStep();
                world.Disk.OnOperation = (kind, _) => Assert.NotEqual(DiskOperation.Write, kind);
                world.Model.Write(world.Store, page, world.Random);
                world.Disk.OnOperation = null;
                world.AssertBounded();
                while (wakes.TryDequeue(out _)) world.Store.WriteNextAhead();
            }

            writes = world.Store.Counters.EvictionWrites;
        }

        Assert.True(writes > Pages);
        Assert.Equal(before, world.Store.Counters.EvictionWaits);
        world.Model.AssertHeldBy(world.Store);
    }

    [Fact]
    public void AWriterThatDoesNotKeepUpIsNotWaitedFor()
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(72);
        for (uint page = 1; page <= Pages; page++)
        {
            world.Store.BeginStep();
            world.Model.Write(world.Store, page, world.Random);
            world.AssertBounded();
        }

        Assert.NotEmpty(wakes);
        Assert.True(world.Store.Counters.EvictionWaits > 0);
        world.Model.AssertHeldBy(world.Store);
    }

    /// <summary>Changed, freed, or freed and made again while it is written: what was copied before is not what the page holds.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void WhatChangesWhileItIsWrittenIsNotReadBackAsItWas(int change)
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(73);
        for (uint page = 1; wakes.Count < 3; page++)
        {
            world.Store.BeginStep();
            world.Model.Write(world.Store, page, world.Random);
        }

        for (uint page = 2; page <= Resident; page++)
        {
            if (change > 0) world.Model.Free(world.Store, page);
            if (change == 2) world.Model.Allocate(world.Store);
            if (change != 1) world.Model.Write(world.Store, page, world.Random);
        }

        while (world.Store.WriteNextAhead())
        {
        }

        Assert.False(world.Store.CollectAhead());
        for (int round = 0; round < 3; round++) world.Model.AssertHeldBy(world.Store);
        Assert.Equal(world.Store.ComputeRootHash(), world.Checkpoint());
        world.Reopen();
        Assert.Equal(0, world.File.Slots.EvictedSlots);
    }

    /// <summary>A freeze, its end, and changes after it come between the copy and its arrival, in every order.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void AFreezeWhilePagesAreWrittenTakesThemAsTheyWere(bool changesAfter, bool aborts)
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(74);
        for (uint page = 1; page <= Pages; page++)
        {
            world.Store.BeginStep();
            world.Model.Write(world.Store, page, world.Random);
            if (wakes.Count > 3) world.Store.WriteNextAhead();
        }

        ulong expected = world.Store.ComputeRootHash();
        CheckpointWriter writer = world.Begin();
        for (uint page = 1; changesAfter && page <= Pages; page++) world.Model.Write(world.Store, page, world.Random);
        while (world.Store.WriteNextAhead())
        {
        }

        if (aborts) writer.Abort();
        world.Store.CollectAhead();
        while (writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
        if (!aborts)
        {
            Assert.Equal(expected, writer.RootHash);
            writer.Commit();
        }

        world.Model.AssertHeldBy(world.Store);
        Assert.Equal(world.Store.ComputeRootHash(), world.Checkpoint());
        world.Model.AssertHeldBy(world.Store);
        world.Reopen();
        Assert.Equal(0, world.File.Slots.EvictedSlots);
    }

    [Fact]
    public void AFullDiskIsFoundOutAndForgottenByWhoeverNeedsAPage()
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(75);
        while (world.File.Slots.FreeSlots > 0) world.File.Slots.TryTake(null, SlotUse.Checkpoint, 64, out _, out _);
        world.Disk.CapacityBytes = world.File.FileBytes;
        for (uint page = 1; page <= Resident + 20; page++)
        {
            world.Model.Write(world.Store, page, world.Random);
            while (wakes.TryDequeue(out _)) world.Store.WriteNextAhead();
        }

        Assert.True(world.Store.IsShortOfSpace);
        world.Disk.CapacityBytes = null;
        world.Store.MakeRoomAgain();
        Assert.False(world.Store.IsShortOfSpace);
        world.Model.AssertHeldBy(world.Store);
        world.AssertBounded();
    }

    [Fact]
    public void NothingIsWrittenForAStoreThatIsClosed()
    {
        (CheckpointWorld world, Queue<int> wakes) = Filled(76);
        for (uint page = 1; wakes.Count < 3; page++) world.Model.Write(world.Store, page, world.Random);
        world.Store.Dispose();
        world.Disk.OnOperation = (kind, _) => Assert.NotEqual(DiskOperation.Write, kind);
        Assert.False(world.Store.WriteNextAhead());
        Assert.Equal(0, world.File.Slots.EvictedSlots);
    }

    private static (CheckpointWorld World, Queue<int> Wakes) Filled(ulong seed)
    {
        var world = new CheckpointWorld(seed, residentPages: Resident);
        for (int i = 1; i < Pages; i++) world.Model.Allocate(world.Store);
        for (uint page = 1; page <= Pages; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        var wakes = new Queue<int>();
        world.Store.AttachWriter(() => wakes.Enqueue(0));
        return (world, wakes);
    }
}
