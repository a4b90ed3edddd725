using RaftQueue.Primitives;

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
