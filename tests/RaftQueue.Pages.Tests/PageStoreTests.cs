using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

public sealed class PageStoreTests
{
    private static readonly PageStoreOptions Checked = new() { CheckReads = true };

    [Fact]
    public void ANewStoreHasAZeroedRootPageAndNothingElse()
    {
        using PageStore store = PageStore.Create(Checked);
        Assert.Equal(1, store.AllocatedPages);
        using PageHandle root = store.Pin(PageNumber.Root, PageIntent.Read);
        Assert.Equal(-1, root.Read.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void TheLowestFreeNumberIsGivenFirstAndComesBackZeroed()
    {
        using PageStore store = PageStore.Create(Checked);
        for (uint i = 2; i < 700; i++)
        {
            Assert.Equal(i, store.Allocate().Value);
            using PageHandle page = store.Pin(new PageNumber(i), PageIntent.Write);
            page.Write.Fill(0xFF);
        }

        foreach (uint number in new uint[] { 650, 3, 64, 65, 128 }) store.Free(new PageNumber(number));
        Assert.Equal(5, store.FreePages);
        foreach (uint number in new uint[] { 3, 64, 65, 128, 650, 700 })
        {
            Assert.Equal(number, store.Allocate().Value);
            using PageHandle page = store.Pin(new PageNumber(number), PageIntent.Read);
            Assert.Equal(-1, page.Read.IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void FreePagesAtTheEndAreNoHoles()
    {
        using PageStore store = PageStore.Create(Checked);
        for (int i = 0; i < 10; i++) store.Allocate();
        for (uint number = 2; number <= 11; number++) store.Free(new PageNumber(number));
        Assert.Equal(1, store.AllocatedPages);
        Assert.Equal(0, store.FreePages);
        Assert.Equal(2u, store.Allocate().Value);
    }

    [Fact]
    public void MisuseIsABrokenInvariant()
    {
        using PageStore store = PageStore.Create(Checked);
        PageNumber page = store.Allocate();
        Assert.Throws<InvariantViolationException>(() => Touch(store, PageNumber.Null, PageIntent.Read));
        Assert.Throws<InvariantViolationException>(() => Touch(store, new PageNumber(77), PageIntent.Write));
        Assert.Throws<InvariantViolationException>(() => Touch(store, new PageNumber(uint.MaxValue), PageIntent.Read));
        Assert.Throws<InvariantViolationException>(() => store.Free(PageNumber.Root));
        Assert.Throws<InvariantViolationException>(() => WriteUnderRead(store, page));
        Assert.Throws<InvariantViolationException>(() => WriteThroughBytesUnderRead(store, page));
        using (PageHandle held = store.Pin(page, PageIntent.Read))
        {
            Assert.Throws<InvariantViolationException>(() => Touch(store, page, PageIntent.Write));
            Assert.Throws<InvariantViolationException>(() => store.Free(page));
            Assert.Throws<InvariantViolationException>(() => store.Freeze(new CheckpointInfo()));
        }

        Assert.Equal(0, store.LivePins);
        store.Free(page);
        Assert.Throws<InvariantViolationException>(() => store.Free(page));
    }

    [Fact]
    public void ReadingUnderAWriteHandleSeesTheWrites()
    {
        using PageStore store = PageStore.Create(Checked);
        using PageHandle writer = store.Pin(PageNumber.Root, PageIntent.Write);
        using PageHandle reader = store.Pin(PageNumber.Root, PageIntent.Read);
        using PageHandle second = store.Pin(PageNumber.Root, PageIntent.Write);
        second.Write[7] = 9;
        Assert.Equal(9, reader.Read[7]);
        Assert.Equal(9, writer.Read[7]);
    }

    [Fact]
    public void WritesAfterAFreezeLeaveTheFrozenPagesAlone()
    {
        using PageStore store = PageStore.Create(Checked);
        Fill(store, PageNumber.Root, 1);
        PageNumber freed = store.Allocate();
        Fill(store, freed, 2);
        FrozenPages frozen = store.Freeze(new CheckpointInfo());
        Fill(store, PageNumber.Root, 3);
        store.Free(freed);
        Assert.Equal(freed, store.Allocate());
        Assert.Equal(2, frozen.ChangedPages);
        byte[] copy = new byte[PageStore.PageSize];
        Assert.True(frozen.TryCopy(1, copy, out _));
        Assert.Equal(-1, copy.AsSpan().IndexOfAnyExcept((byte)1));
        Assert.True(frozen.TryCopy(freed.Value, copy, out _));
        Assert.Equal(-1, copy.AsSpan().IndexOfAnyExcept((byte)2));
        Assert.True(store.IsFrozen);
        frozen.Abort();
        Assert.False(store.IsFrozen);
        Assert.Equal(2, store.DirtyPages);
    }

    [Fact]
    public void FramesOfAFinishedFreezeAreUsedAgain()
    {
        using PageStore store = PageStore.Create(Checked);
        for (int i = 0; i < 511; i++) store.Allocate();
        for (int round = 0; round < 20; round++)
        {
            FrozenPages frozen = store.Freeze(new CheckpointInfo());
            for (uint page = 1; page <= 512; page++) Fill(store, new PageNumber(page), (byte)round);
            frozen.Abort();
        }

        Assert.True(store.ReservedBytes <= 4 * 512 * PageStore.PageSize, $"{store.ReservedBytes} bytes reserved");
    }

    private static void Fill(PageStore store, PageNumber page, byte value)
    {
        using PageHandle handle = store.Pin(page, PageIntent.Write);
        handle.Write.Fill(value);
    }

    private static void Touch(PageStore store, PageNumber page, PageIntent intent)
    {
        using PageHandle handle = store.Pin(page, intent);
    }

    private static void WriteUnderRead(PageStore store, PageNumber page)
    {
        using PageHandle handle = store.Pin(page, PageIntent.Read);
        handle.Write[0] = 1;
    }

    private static void WriteThroughBytesUnderRead(PageStore store, PageNumber page)
    {
        using PageHandle handle = store.Pin(page, PageIntent.Read);
        handle.Bytes[0] = 1;
    }
}
