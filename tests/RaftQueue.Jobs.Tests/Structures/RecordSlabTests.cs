using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class RecordSlabTests
{
    private static RecordSlab Open(PageStore pages, int recordSize) =>
        new(pages, PageNumber.Root, TestPages.HeaderOffset, recordSize);

    private static void Mark(RecordSlab slab, long slot, ulong mark)
    {
        using RecordHandle record = slab.Pin(slot, PageIntent.Write);
        record.Bytes.Fill((byte)mark);
        BitConverter.TryWriteBytes(record.Bytes, mark);
        record.Bytes[^1] = (byte)(mark >> 8);
    }

    private static void Check(RecordSlab slab, long slot, ulong mark)
    {
        using RecordHandle record = slab.Pin(slot, PageIntent.Read);
        Assert.Equal(mark, BitConverter.ToUInt64(record.Bytes));
        Assert.Equal((byte)(mark >> 8), record.Bytes[^1]);
        Assert.True(record.Bytes[8..^1].IndexOfAnyExcept((byte)mark) < 0);
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(2, 17)]
    [InlineData(3, 100)]
    [InlineData(4, 128)]
    [InlineData(5, 1000)]
    [InlineData(6, 1024)]
    public void Behaves_like_a_dictionary(ulong seed, int recordSize) => Replay.Run(seed, random =>
    {
        using PageStore pages = TestPages.Create();
        RecordSlab slab = Open(pages, recordSize);
        var model = new Dictionary<long, ulong>();
        var slots = new List<long>();
        for (int step = 0; step < 40_000; step++)
        {
            bool growing = step / 8_000 % 2 == 0;
            if (slots.Count == 0 || random.Below(10) < (growing ? 7 : 3))
            {
                long slot = slab.Allocate();
                Assert.True(slot >= 1 && slot <= slab.HighWater);
                using (RecordHandle record = slab.Pin(slot, PageIntent.Read))
                    Assert.True(record.Bytes.IndexOfAnyExcept((byte)0) < 0, "a new record is zero");
                ulong mark = random.NextUInt64();
                Mark(slab, slot, mark);
                model.Add(slot, mark);
                slots.Add(slot);
            }
            else
            {
                int at = random.Below(slots.Count);
                long slot = slots[at];
                slots[at] = slots[^1];
                slots.RemoveAt(slots.Count - 1);
                Check(slab, slot, model[slot]);
                slab.Free(slot);
                model.Remove(slot);
                Assert.False(slab.IsAllocated(slot));
            }

            // A second view of the same bytes must see the same; from here on it is the only one.
            if (step % 9_999 == 0) slab = Open(pages, recordSize);
        }

        Assert.Equal(model.Count, slab.Count);
        foreach ((long slot, ulong mark) in model) Check(slab, slot, mark);
        var seen = new List<long>();
        for (long slot = slab.NextAllocated(0); slot != 0; slot = slab.NextAllocated(slot)) seen.Add(slot);
        Assert.Equal(model.Keys.Order(), seen);
        foreach (long slot in slots) slab.Free(slot);
        Assert.Equal(0, slab.Count);
        Assert.Equal(0, slab.HighWater);
        TestPages.OnlyHeaderLeft(pages, RecordSlab.HeaderSize);
    });

    [Fact]
    public void Foreign_slots_are_not_allocated()
    {
        using PageStore pages = TestPages.Create();
        RecordSlab slab = Open(pages, 100);
        Assert.False(slab.IsAllocated(1));
        long slot = slab.Allocate();
        long gone = slab.Allocate();
        slab.Free(gone);
        long[] foreign = [0, -1, long.MinValue, long.MaxValue, slot + 1, slab.HighWater, slab.HighWater + 1,
            1L << 47, (1L << 48) - 1, 1L << 48, (1L << 48) + 1, uint.MaxValue, (long)uint.MaxValue << 6, slot + (1L << 38)];
        foreach (long other in foreign)
        {
            Assert.False(slab.IsAllocated(other), $"{other}");
            Assert.Throws<InvariantViolationException>(() => { using RecordHandle record = slab.Pin(other, PageIntent.Read); });
            Assert.Throws<InvariantViolationException>(() => slab.Free(other));
        }

        Assert.True(slab.IsAllocated(slot));
        Assert.Equal(1, slab.Count);
        Assert.Equal(0, pages.LivePins);
    }

    [Fact]
    public void Vacant_pages_between_used_ones_are_used_again_before_the_slab_grows()
    {
        using PageStore pages = TestPages.Create();
        RecordSlab slab = Open(pages, 1024);
        var slots = new List<long>();
        for (int i = 0; i < 3_000; i++) slots.Add(slab.Allocate());
        long full = pages.AllocatedPages;
        long highWater = slab.HighWater;
        foreach (long slot in slots.GetRange(500, 2_000)) slab.Free(slot);
        Assert.True(pages.AllocatedPages < full / 2, "emptied pages are given back");
        Assert.False(slab.IsAllocated(slots[1_000]));
        for (int i = 0; i < 2_000; i++) slab.Allocate();
        Assert.Equal(full, pages.AllocatedPages);
        Assert.Equal(highWater, slab.HighWater);
    }

    [Fact]
    public void A_directory_of_two_levels_comes_and_goes()
    {
        using PageStore pages = TestPages.Create();
        RecordSlab slab = Open(pages, 1024);
        var slots = new List<long>();
        for (int i = 0; i < 3 * 1024 * 3; i++) slots.Add(slab.Allocate());
        slab = Open(pages, 1024);
        foreach (long slot in slots) Assert.True(slab.IsAllocated(slot));
        foreach (long slot in slots) slab.Free(slot);
        TestPages.OnlyHeaderLeft(pages, RecordSlab.HeaderSize);
        Assert.Equal(1, slab.Allocate());
    }

    [Fact]
    public void The_same_history_gives_the_same_pages() => Replay.Run(7, random =>
    {
        ulong seed = random.NextUInt64();
        using PageStore one = TestPages.Create(checkReads: true);
        using PageStore other = TestPages.Create();
        Busy(Open(one, 72), seed, reopen: null);
        Busy(Open(other, 72), seed, reopen: () => Open(other, 72));
        TestPages.Same(one, other);
    });

    [Fact]
    public void Frozen_pages_are_left_alone()
    {
        using PageStore pages = TestPages.Create();
        RecordSlab slab = Open(pages, 100);
        long kept = slab.Allocate();
        Mark(slab, kept, 11);
        pages.Freeze(TestPages.Checkpoint(1));
        Mark(slab, kept, 12);
        long later = slab.Allocate();
        Mark(slab, later, 13);
        Check(slab, kept, 12);
        Check(slab, later, 13);
        slab.Free(kept);
        slab.Free(later);
        TestPages.OnlyHeaderLeft(pages, RecordSlab.HeaderSize);
    }

    private static void Busy(RecordSlab slab, ulong seed, Func<RecordSlab>? reopen)
    {
        var random = new SplitMix64(seed);
        var slots = new List<long>();
        for (int step = 0; step < 3_000; step++)
        {
            if (step % 100 == 0 && reopen is not null) slab = reopen();
            if (slots.Count == 0 || random.Below(3) > 0)
            {
                slots.Add(slab.Allocate());
                Mark(slab, slots[^1], random.NextUInt64());
            }
            else
            {
                int at = random.Below(slots.Count);
                slab.Free(slots[at]);
                slots.RemoveAt(at);
            }
        }
    }
}
