using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class BlobStoreTests
{
    private static BlobStore Open(PageStore pages) => new(pages, PageNumber.Root, TestPages.HeaderOffset);

    private static void Check(BlobStore store, BlobRef blob, byte[] expected)
    {
        Assert.Equal(expected.Length, store.Length(blob));
        var read = new byte[expected.Length + 3];
        read.AsSpan().Fill(0xEE);
        store.Read(blob, read);
        Assert.True(read.AsSpan(0, expected.Length).SequenceEqual(expected));
        Assert.True(read.AsSpan(expected.Length).IndexOfAnyExcept((byte)0xEE) < 0);
        Assert.True(store.ContentEquals(blob, expected));
        if (expected.Length == 0) return;
        Assert.False(store.ContentEquals(blob, expected.AsSpan(1)));
        read[expected.Length - 1] ^= 1;
        Assert.False(store.ContentEquals(blob, read.AsSpan(0, expected.Length)));
    }

    public static TheoryData<int> Lengths() =>
        [0, 1, 15, 16, 17, 24, 25, 100, 255, 256, 257, 288, 289, 1016, 1017, 1352, 1353, 2031, 2032, 2033, 4091, 4092, 4093,
            8184, 8185, 100_000, BlobStore.MaxLength - 1, BlobStore.MaxLength];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Holds_any_length(int length) => Replay.Run((ulong)length, random =>
    {
        using PageStore pages = TestPages.Create();
        BlobStore store = Open(pages);
        byte[] data = random.Bytes(length);
        BlobRef blob = store.Write(data);
        BlobRef second = store.Write(data);
        Assert.False(blob.IsNone);
        Assert.NotEqual(blob, second);
        Check(store, blob, data);
        store.Free(blob);
        Check(Open(pages), second, data);
        Assert.Equal(1, store.Count);
        Assert.Equal(length, store.TotalLength);
        Assert.True(pages.AllocatedPages - 2 <= BlobStore.MaxPagesFor(length));
        store.Free(second);
        TestPages.OnlyHeaderLeft(pages, BlobStore.HeaderSize);
    });

    [Fact]
    public void More_than_the_longest_is_a_bug_and_leaves_nothing()
    {
        using PageStore pages = TestPages.Create();
        BlobStore store = Open(pages);
        Assert.Throws<InvariantViolationException>(() => store.Write(new byte[BlobStore.MaxLength + 1]));
        TestPages.OnlyHeaderLeft(pages, BlobStore.HeaderSize);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Behaves_like_a_dictionary(ulong seed) => Replay.Run(seed, random =>
    {
        using PageStore pages = TestPages.Create();
        BlobStore store = Open(pages);
        var model = new List<(BlobRef Blob, byte[] Data)>();
        for (int step = 0; step < 30_000; step++)
        {
            bool growing = step / 6_000 % 2 == 0;
            if (model.Count == 0 || random.Below(10) < (growing ? 7 : 3))
            {
                byte[] data = random.Bytes(Length(random));
                model.Add((store.Write(data), data));
            }
            else
            {
                int at = random.Below(model.Count);
                Check(store, model[at].Blob, model[at].Data);
                store.Free(model[at].Blob);
                model[at] = model[^1];
                model.RemoveAt(model.Count - 1);
            }
        }

        Assert.Equal(model.Count, store.Count);
        Assert.Equal(model.Sum(m => (long)m.Data.Length), store.TotalLength);
        foreach ((BlobRef blob, byte[] data) in model) Check(store, blob, data);
        foreach ((BlobRef blob, byte[] _) in model) store.Free(blob);
        TestPages.OnlyHeaderLeft(pages, BlobStore.HeaderSize);
    });

    [Fact]
    public void A_small_blob_costs_its_class_and_little_more()
    {
        using PageStore pages = TestPages.Create();
        BlobStore store = Open(pages);
        var data = new byte[100];
        for (int i = 0; i < 39_000; i++) store.Write(data);
        Assert.Equal(1_000 + 2, pages.AllocatedPages); // 39 cells of 104 bytes a page
    }

    [Fact]
    public void A_freed_reference_is_a_bug()
    {
        using PageStore pages = TestPages.Create();
        BlobStore store = Open(pages);
        BlobRef blob = store.Write([1, 2, 3]);
        store.Write([1, 2, 3]);
        store.Free(blob);
        Assert.Throws<InvariantViolationException>(() => store.Free(blob));
        Assert.Throws<InvariantViolationException>(() => store.ContentEquals(blob, [1, 2, 3]));
        Assert.Throws<InvariantViolationException>(() => store.Length(BlobRef.None));
    }

    [Fact]
    public void The_same_history_gives_the_same_pages() => Replay.Run(8, random =>
    {
        ulong seed = random.NextUInt64();
        using PageStore one = TestPages.Create(checkReads: true);
        using PageStore other = TestPages.Create();
        Busy(Open(one), seed, betweenSteps: null);
        int step = 0;
        Busy(Open(other), seed, betweenSteps: () =>
        {
            if (step++ == 1_000) other.Freeze(TestPages.Checkpoint(1));
        });
        TestPages.Same(one, other);
    });

    private static int Length(SplitMix64 random) => random.Below(20) switch
    {
        0 => 2_000 + random.Below(9_000),
        < 5 => random.Below(2_100),
        _ => random.Below(260),
    };

    private static void Busy(BlobStore store, ulong seed, Action? betweenSteps)
    {
        var random = new SplitMix64(seed);
        var blobs = new List<BlobRef>();
        for (int step = 0; step < 2_000; step++)
        {
            betweenSteps?.Invoke();
            if (blobs.Count == 0 || random.Below(3) > 0)
            {
                blobs.Add(store.Write(random.Bytes(Length(random))));
            }
            else
            {
                int at = random.Below(blobs.Count);
                store.Free(blobs[at]);
                blobs.RemoveAt(at);
            }
        }
    }
}
