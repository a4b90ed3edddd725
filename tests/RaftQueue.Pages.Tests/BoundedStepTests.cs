namespace RaftQueue.Pages.Tests;

/// <summary>No single step on the apply loop is longer because the state, or what changed of it, is large.</summary>
public sealed class BoundedStepTests
{
    /// <summary>All of memory was used again and again: the hand would go round it several times before it meets a page to evict.</summary>
    [Fact]
    public void TheSearchForVictimsDoesNotGrowWithMemory()
    {
        const int Resident = 30_000;
        CheckpointWorld world = new(61, residentPages: Resident);
        for (int i = 0; i < Resident - 1_000; i++) world.Store.Allocate();
        for (int round = 0; round < 4; round++)
        {
            world.Store.BeginStep();
            for (uint page = 1; page <= world.Store.AllocatedPages; page++) Touch(world.Store, page);
        }

        while (world.Store.Counters.Evictions == 0) world.Store.Allocate();
        Assert.InRange(world.Store.MostVisits, 1, 20 * 1024 + 1);
        Assert.InRange(world.Store.Counters.ResidentPages, 1, Resident);
    }

    [Fact]
    public void WhatACheckpointLeftIsReleasedABoundedPartAtATime()
    {
        const int Pages = 20_000;
        CheckpointWorld world = new(62);
        while (world.Store.AllocatedPages < Pages) world.Store.Allocate();
        using CheckpointWriter writer = world.File.BeginWrite(world.Store.Freeze(CheckpointWorld.InfoFor(1)));
        for (uint page = 1; page <= Pages; page++) Change(world.Store, page);
        Assert.Equal(2 * Pages, world.Store.Counters.ResidentPages);
        while (writer.RunOnce())
        {
        }

        writer.Commit();
        int steps = 0;
        long before = world.Store.Counters.ResidentPages;
        while (world.Store.Settle())
        {
            long now = world.Store.Counters.ResidentPages;
            Assert.InRange(before - now, 0, 1024 + 256);
            before = now;
            steps++;
        }

        Assert.InRange(steps, Pages / 1300, Pages / 500);
        Assert.Equal(Pages, world.Store.Counters.ResidentPages);
    }

    /// <summary>The next checkpoint begins, is written and evicted from while frames of the last one are still to be released.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public void CheckpointsFollowEachOtherBeforeEverythingIsSettled(int residentPages)
    {
        var world = new CheckpointWorld(63, residentPages: residentPages, stepPages: 2);
        for (int i = 0; i < 150; i++)
        {
            world.Churn(40, 900);
            world.Checkpoint(between: 7);
        }

        world.Model.AssertHeldBy(world.Store);
        Assert.Equal(world.Store.ComputeRootHash(), world.Checkpoint());
        while (world.Store.Settle())
        {
        }

        if (residentPages == 0) Assert.Equal(world.Store.AllocatedPages, world.Store.Counters.ResidentPages);
        world.Reopen();
    }

    /// <summary>Changes of a checkpoint that was given up come back page by page, while pages are written, freed, allocated and evicted.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public void ChangesOfACheckpointGivenUpComeBackPieceByPiece(int residentPages)
    {
        var world = new CheckpointWorld(64, residentPages: residentPages, stepPages: 2);
        for (int i = 0; i < 120; i++)
        {
            world.Churn(60, 200);
            using (CheckpointWriter writer = world.Begin())
            {
                for (int slice = 0; slice < i % 5 && writer.RunOnce(); slice++) world.Churn(5, 200);
                writer.Abort();
            }

            Assert.True(world.Store.Settle() || world.Store.DirtyPages < 4);
            for (int step = 0; step < 30 && world.Store.Settle(); step++) world.Churn(4, 200);
            world.Model.AssertHeldBy(world.Store);
            if (i % 3 != 0) continue;
            ulong hash = world.Store.ComputeRootHash();
            Assert.Equal(hash, world.Checkpoint());
        }

        while (world.Store.Settle())
        {
        }

        Assert.Equal(world.Store.ComputeRootHash(), world.Checkpoint());
        world.Reopen();
        Assert.Equal(0, world.File.Slots.EvictedSlots);
    }

    [Fact]
    public void AfterAPurgeTheEndIsGivenBackABoundedPartAtATime()
    {
        const int Pages = 50_000;
        using PageStore store = PageStore.Create(new PageStoreOptions());
        while (store.AllocatedPages < Pages) store.Allocate();
        for (uint page = 3; page < Pages; page++) store.Free(new PageNumber(page));
        store.Free(new PageNumber(Pages));
        Assert.InRange(store.FreePages, Pages - 2 - 1024, Pages - 3);
        for (int i = 0; i < 50; i++)
        {
            PageNumber page = store.Allocate();
            Assert.Equal(3u, page.Value);
            store.Free(page);
        }

        Assert.Equal(2, store.AllocatedPages);
    }

    private static void Touch(PageStore store, uint page)
    {
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Read);
    }

    private static void Change(PageStore store, uint page)
    {
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Write);
        handle.Write[5]++;
    }
}
