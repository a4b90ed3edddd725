using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>Pages that leave memory are written several at once, however scattered they are in the state and the free slots in the file.</summary>
public sealed class RunTests
{
    private const int Pages = 6000;

    [Fact]
    public void PagesLeaveMemoryInRuns()
    {
        var world = new CheckpointWorld(71, new CheckpointOptions { ExtentBytes = 64 * 4096 });
        var disk = new CountingDisk(world.Disk);
        world.File.Dispose();
        CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
        using PageStore store = PageStore.Create(new PageStoreOptions { MaxResidentPages = 1500 }, file);
        for (int i = 0; i < Pages; i++) store.Allocate();
        long index = 0;
        long writes = 0;
        long written = 0;
        for (int round = 0; round < 18; round++)
        {
            long writesBefore = disk.Writes;
            long writtenBefore = store.Counters.EvictionWrites;
            for (int i = 0; i < Pages / 3; i++) Change(store, world.Random);
            if (round >= 6) (writes, written) = (writes + disk.Writes - writesBefore, written + store.Counters.EvictionWrites - writtenBefore);
            using CheckpointWriter writer = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(++index)));
            while (writer.RunOnce()) Change(store, world.Random);

            writer.Commit();
            while (file.Trim()) { }
        }

        Assert.True(written > 3000, $"{written} pages left memory");
        Assert.True(written >= 4 * writes, $"{written} pages were written with {writes} calls");
        Assert.InRange(file.FileBytes / PageStore.PageSize, Pages, 3 * (Pages + (Pages / 100) + 4));
    }

    [Fact]
    public void WhatFreeSlotsHeldIsForgottenAndNothingElse()
    {
        var world = new CheckpointWorld(73, new CheckpointOptions { ExtentBytes = 64 * 4096 });
        var disk = new CountingDisk(world.Disk);
        world.File.Dispose();
        CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
        using PageStore store = PageStore.Create(new PageStoreOptions { MaxResidentPages = 1500 }, file);
        for (int i = 0; i < Pages; i++) store.Allocate();
        var forgotten = new HashSet<uint>();
        for (int round = 1; round <= 6; round++)
        {
            for (int i = 0; i < Pages / 3; i++) Change(store, world.Random);
            using CheckpointWriter writer = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(round)));
            while (writer.RunOnce()) { }
            writer.Commit();
            disk.Calls.Clear();
            while (file.ForgetFree()) { }
            uint[] slots = [.. disk.Calls.Where(call => call.Advice == DiskAdvice.NotReadAgain)
                .SelectMany(call => Enumerable.Range((int)(call.Offset / PageStore.PageSize), (int)(call.Length / PageStore.PageSize)).Select(slot => (uint)slot))];
            Assert.Equal(slots.Length, slots.Distinct().Count());
            Assert.All(slots, slot => Assert.False(file.Slots.IsBusy(slot)));
            forgotten.UnionWith(slots);
            // Once more there is nothing that was used since.
            disk.Calls.Clear();
            while (file.ForgetFree()) { }
            Assert.Empty(disk.Calls);
        }

        Assert.True(forgotten.Count > Pages / 2, $"{forgotten.Count} slots were forgotten");
        foreach (PageNumber page in Enumerable.Range(1, Pages).Select(number => new PageNumber((uint)number)))
        {
            using PageHandle handle = store.Pin(page, PageIntent.Read);
        }
    }

    /// <summary>The file has free slots enough, in short runs: with little left on the disk it does with them, and leaves the rest to the log.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WithLittleLeftOnTheDiskTheFileDoesNotGrowForRuns(bool isTight)
    {
        const int Least = 14_000; // two checkpoints, what is written, and what was evicted, in slots
        const int Worth = Pages + (Pages / 100) + 4;
        const long LogReserve = 64 * PageStore.PageSize;
        var world = new CheckpointWorld(73, new CheckpointOptions { ExtentBytes = 64 * 4096, LogReserveBytes = LogReserve }, residentPages: 1500);
        if (isTight) world.Disk.CapacityBytes = ((Least + Worth) * (long)PageStore.PageSize) + LogReserve;
        for (int i = 1; i < Pages; i++) world.Store.Allocate();
        for (int round = 0; round < 12; round++)
        {
            for (int i = 0; i < Pages / 3; i++) Change(world.Store, world.Random);
            using CheckpointWriter writer = world.File.BeginWrite(world.Store.Freeze(CheckpointWorld.InfoFor(round + 1)));
            while (writer.RunOnce()) Change(world.Store, world.Random);
            Assert.Equal(CheckpointOutcome.Ready, writer.Outcome);
            writer.Commit();
        }

        long slots = world.File.FileBytes / PageStore.PageSize;
        if (isTight) Assert.InRange(slots, Pages, Least + 64);
        else Assert.InRange(slots, Least + 1_000, 3 * Worth);
        Assert.True(world.Check().IsClean);
    }

    [Fact]
    public void TheLowestRunIsFoundAsOneSlotAfterTheOtherWouldFindIt()
    {
        var random = new SplitMix64(72);
        for (int i = 0; i < 3000; i++)
        {
            uint end = (uint)random.NextBelow(400) + 1;
            long fullness = random.NextBelow(100);
            var map = new SlotMap();
            for (uint slot = 0; slot < end; slot++)
            {
                if (random.NextBelow(100) < fullness) map.Add(slot);
            }

            uint from = (uint)random.NextBelow((int)end + 70);
            int length = (int)random.NextBelow(12) + 1;
            uint? expected = null;
            for (uint first = from; expected is null && first + length <= end; first++)
            {
                if (Enumerable.Range(0, length).All(at => !map.Contains(first + (uint)at))) expected = first;
            }

            Assert.Equal(expected, map.TryFindAbsent(from, end, length, out uint found) ? found : null);
        }
    }

    private static void Change(PageStore store, SplitMix64 random)
    {
        store.BeginStep();
        using PageHandle page = store.Pin(new PageNumber((uint)random.NextBelow(Pages) + 1), PageIntent.Write);
        page.Bytes[(int)random.NextBelow(PageStore.PageSize)]++;
    }
}
