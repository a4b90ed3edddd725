using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

internal static class TestPages
{
    /// <summary>Somewhere in the middle of the root page, so that a structure that writes around its header is found.</summary>
    public const int HeaderOffset = 136;

    public static PageStore Create(bool checkReads = false) =>
        PageStore.Create(new PageStoreOptions { CheckReads = checkReads });

    /// <summary>Every allocated page with its bytes, in order.</summary>
    public static IEnumerable<(uint Page, byte[] Bytes)> Dump(PageStore pages)
    {
        long left = pages.AllocatedPages;
        for (uint page = 1; left > 0; page++)
        {
            if (!pages.IsAllocated(new PageNumber(page))) continue;
            left--;
            yield return (page, Copy(pages, page));
        }
    }

    public static byte[] Copy(PageStore pages, uint page)
    {
        using PageHandle handle = pages.Pin(new PageNumber(page), PageIntent.Read);
        return handle.Read.ToArray();
    }

    public static void Same(PageStore one, PageStore other)
    {
        (uint Page, byte[] Bytes)[] left = [.. Dump(one)];
        (uint Page, byte[] Bytes)[] right = [.. Dump(other)];
        Assert.Equal(left.Length, right.Length);
        for (int i = 0; i < left.Length; i++)
        {
            Assert.Equal(left[i].Page, right[i].Page);
            Assert.True(left[i].Bytes.AsSpan().SequenceEqual(right[i].Bytes), $"page {left[i].Page} differs");
        }
    }

    /// <summary>Nothing but the root page is left, and it holds only zeros outside the place given to the structure.</summary>
    public static void OnlyHeaderLeft(PageStore pages, int headerSize)
    {
        Assert.Equal(1, pages.AllocatedPages);
        byte[] root = Copy(pages, 1);
        root.AsSpan(HeaderOffset, headerSize).Clear();
        Assert.True(root.AsSpan().IndexOfAnyExcept((byte)0) < 0, "a structure wrote outside its header");
    }

    public static CheckpointInfo Checkpoint(long index) => new()
    {
        Shard = new ShardId(0),
        Index = new LogIndex(index),
        Term = new Term(1),
        TimestampMs = 0,
        StateHash = 0,
        Membership = [],
    };
}
