using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class HashIndexTests
{
    private static HashIndex Open(PageStore pages) => new(pages, PageNumber.Root, TestPages.HeaderOffset);

    private static List<long> Find(HashIndex index, ulong hash)
    {
        var values = new List<long>();
        foreach (long value in index.Find(hash)) values.Add(value);
        return values;
    }

    [Theory]
    [InlineData(1, 1_000_000, 0)]  // hashes are small numbers
    [InlineData(2, 2_000, 0)]      // many values a hash
    [InlineData(3, 500_000, 32)]   // hashes differ only in their upper half
    public void Behaves_like_a_multi_map(ulong seed, int range, int shift) => Replay.Run(seed, random =>
    {
        using PageStore pages = TestPages.Create();
        HashIndex index = Open(pages);
        var model = new Dictionary<ulong, List<long>>();
        var all = new List<(ulong Hash, long Value)>();
        for (int step = 0; step < 100_000; step++)
        {
            ulong hash = (ulong)random.Below(range) << shift;
            bool growing = step / 25_000 % 2 == 0;
            int choice = random.Below(10);
            if (choice == 0)
            {
                List<long> expected = model.GetValueOrDefault(hash, []);
                List<long> found = Find(index, hash);
                foreach (long value in expected) Assert.True(found.Remove(value));
                Assert.True(found.Count <= 50, "few values of other hashes are found");
            }
            else if (all.Count == 0 || choice < (growing ? 8 : 4))
            {
                long value = (long)(random.NextUInt64() >> 16);
                index.Add(hash, value);
                if (!model.TryGetValue(hash, out List<long>? values)) model[hash] = values = [];
                values.Add(value);
                all.Add((hash, value));
            }
            else
            {
                int at = random.Below(all.Count);
                (ulong gone, long value) = all[at];
                all[at] = all[^1];
                all.RemoveAt(all.Count - 1);
                Assert.True(index.Remove(gone, value));
                model[gone].Remove(value);
                Assert.False(index.Remove(gone, value ^ 1));
            }

            if (step % 20_000 == 19_999)
            {
                Assert.Equal(all.Select(e => e.Value).Order(), IndexValidator.Validate(pages).Select(e => e.Value).Order());
                index = Open(pages);
            }
        }

        Assert.Equal(all.Count, index.Count);
        foreach ((ulong hash, long value) in all) Assert.True(index.Remove(hash, value));
        TestPages.OnlyHeaderLeft(pages, HashIndex.HeaderSize);
    });

    [Fact]
    public void Runs_of_additions_and_removals_keep_the_form()
    {
        Gen<(bool Add, int Start, int Length)> run =
            from add in Gen.Frequency((3, Gen.Constant(true)), (2, Gen.Constant(false)))
            from start in Gen.Choose(0, 20_000)
            from length in Gen.Choose(1, 8_000)
            select (add, start, length);
        Prop.ForAll(run.ListOf().ToArbitrary(), runs =>
        {
            using PageStore pages = TestPages.Create();
            HashIndex index = Open(pages);
            var model = new HashSet<int>();
            foreach ((bool Add, int Start, int Length) r in runs)
            {
                for (int key = r.Start; key < r.Start + r.Length; key++)
                {
                    if (!r.Add) Assert.Equal(model.Remove(key), index.Remove((ulong)key, key));
                    else if (model.Add(key)) index.Add((ulong)key, key);
                }

                if (!IndexValidator.Validate(pages).Select(e => (int)e.Value).ToHashSet().SetEquals(model)) return false;
            }

            foreach (int key in model) index.Remove((ulong)key, key);
            return pages.AllocatedPages == 1;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(12));
    }

    [Fact]
    public void Equal_hashes_do_not_make_buckets_without_end()
    {
        using PageStore pages = TestPages.Create();
        HashIndex index = Open(pages);
        for (int i = 0; i < 20_000; i++) index.Add(42, i);
        Assert.InRange(pages.AllocatedPages, 51, 53);
        Assert.Equal(20_000, Find(index, 42).Distinct().Count());
        IndexValidator.Validate(pages);
        for (int i = 0; i < 20_000; i++) Assert.True(index.Remove(42, i));
        TestPages.OnlyHeaderLeft(pages, HashIndex.HeaderSize);
    }

    [Fact]
    public void Empty_index_answers()
    {
        using PageStore pages = TestPages.Create();
        HashIndex index = Open(pages);
        Assert.Empty(Find(index, 1));
        Assert.False(index.Remove(1, 1));
        Assert.Equal(0, index.Count);
        index.Add(1, HashIndex.MaxValue);
        Assert.Equal([HashIndex.MaxValue], Find(index, 1));
        Assert.Throws<InvariantViolationException>(() => index.Add(1, HashIndex.MaxValue + 1));
        Assert.Throws<InvariantViolationException>(() => index.Add(1, -1));
    }

    [Fact]
    public void The_same_entry_twice_is_two_entries()
    {
        using PageStore pages = TestPages.Create();
        HashIndex index = Open(pages);
        index.Add(5, 6);
        index.Add(5, 6);
        Assert.Equal([6, 6], Find(index, 5));
        Assert.True(index.Remove(5, 6));
        Assert.Equal([6], Find(index, 5));
    }

    [Fact]
    public void An_entry_costs_sixteen_bytes_at_most() => Replay.Run(31, random =>
    {
        using PageStore pages = TestPages.Create();
        HashIndex index = Open(pages);
        for (int i = 1; i <= 300_000; i++)
        {
            index.Add(random.NextUInt64(), i);
            if (i >= 20_000 && i % 5_000 == 0)
                Assert.InRange((pages.AllocatedPages - 1) * (double)PageStore.PageSize / i, 10.0, 16.0);
        }
    });

    [Fact]
    public void The_same_history_gives_the_same_pages() => Replay.Run(32, random =>
    {
        ulong seed = random.NextUInt64();
        using PageStore one = TestPages.Create();
        using PageStore other = TestPages.Create();
        Busy(Open(one), seed, 20_000, afterStep: _ => { });
        Busy(Open(other), seed, 20_000, afterStep: step =>
        {
            if (step == 7_000) other.Freeze(TestPages.Checkpoint(1));
        });
        TestPages.Same(one, other);
    });

    [Fact]
    public void No_page_is_written_under_a_reading_pin() => Replay.Run(33, random =>
    {
        using PageStore pages = TestPages.Create(checkReads: true);
        Busy(Open(pages), random.NextUInt64(), 5_000, afterStep: _ => Assert.Equal(0, pages.LivePins));
        IndexValidator.Validate(pages);
    });

    private static void Busy(HashIndex index, ulong seed, int steps, Action<int> afterStep)
    {
        var random = new SplitMix64(seed);
        for (int step = 0; step < steps; step++)
        {
            int key = random.Below(6_000);
            if (random.Below(5) < 3) index.Add((ulong)key, key);
            else index.Remove((ulong)key, key);
            afterStep(step);
        }
    }
}
