using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class OrderedTreeTests
{
    private static OrderedTree Open(PageStore pages) => new(pages, PageNumber.Root, TestPages.HeaderOffset);

    /// <summary>A number as an entry of the same order, in which each part decides somewhere and has high and low bits.</summary>
    private static TreeEntry Entry(int number) => new(
        (long)(number >> 8) << 31 | (uint)(number >> 8),
        (long)((number >> 4) & 15) << 52 | 5,
        (long)(number & 15) << 44 | (uint)(number & 15));

    [Theory]
    [InlineData(1, 1 << 20)]
    [InlineData(2, 1 << 13)]
    [InlineData(3, 1 << 16)]
    [InlineData(4, 300)]
    public void Behaves_like_a_sorted_set(ulong seed, int range) => Replay.Run(seed, random =>
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        var model = new SortedSet<TreeEntry>(TreeOrder.Instance);
        for (int step = 0; step < 100_000; step++)
        {
            TreeEntry entry = Entry(random.Below(range));
            bool growing = step / 25_000 % 2 == 0;
            int choice = random.Below(10);
            if (choice < 2)
            {
                bool found = tree.TryNext(entry, out TreeEntry next);
                TreeEntry expected = model.GetViewBetween(entry, Entry(range)).FirstOrDefault(e => e != entry);
                Assert.Equal(expected, next);
                Assert.Equal(found, expected != default);
                Assert.Equal(model.Contains(entry), tree.Contains(entry));
            }
            else if (choice < (growing ? 8 : 4))
            {
                Assert.Equal(model.Add(entry), tree.Insert(entry));
            }
            else if (choice == 9 && model.Count > 0)
            {
                Assert.True(tree.TryFirst(out TreeEntry first));
                Assert.Equal(model.Min, first);
                Assert.True(tree.Remove(first));
                model.Remove(first);
            }
            else
            {
                Assert.Equal(model.Remove(entry), tree.Remove(entry));
            }

            if (step % 500 == 0)
            {
                int max = random.Below(2_000);
                Assert.Equal(Math.Min(max, model.Count(e => e.Time <= entry.Time)), tree.CountThrough(entry.Time, max));
            }

            if (step % 20_000 == 19_999) Assert.Equal(model, TreeValidator.Validate(pages));
        }

        Assert.Equal(model.Count, tree.Count);
        foreach (TreeEntry entry in model.OrderBy(e => SplitMix64.Mix((ulong)e.Time ^ (ulong)e.Sequence ^ (ulong)e.Value)))
            Assert.True(tree.Remove(entry));
        Assert.False(tree.TryFirst(out _));
        TestPages.OnlyHeaderLeft(pages, OrderedTree.HeaderSize);
    });

    /// <summary>Runs of many entries reach a height of three in short histories, which shrink well.</summary>
    [Fact]
    public void Runs_of_inserts_and_removals_keep_the_form()
    {
        Gen<(int Kind, int Start, int Length, int Stride)> run =
            from kind in Gen.Choose(0, 4)
            from start in Gen.Choose(0, 100_000)
            from length in Gen.Choose(1, 12_000)
            from stride in Gen.Elements(1, -1, 7, -13, 7_919)
            select (kind, start, length, stride);
        Prop.ForAll(run.ListOf().ToArbitrary(), runs =>
        {
            using PageStore pages = TestPages.Create();
            OrderedTree tree = Open(pages);
            var model = new SortedSet<TreeEntry>(TreeOrder.Instance);
            foreach ((int Kind, int Start, int Length, int Stride) r in runs)
            {
                Apply(tree, model, r);
                if (!TreeValidator.Validate(pages).SequenceEqual(model)) return false;
            }

            while (tree.RemoveSome(1_000) > 0) TreeValidator.Validate(pages);
            return pages.AllocatedPages == 1;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(12));
    }

    private static void Apply(OrderedTree tree, SortedSet<TreeEntry> model, (int Kind, int Start, int Length, int Stride) run)
    {
        if (run.Kind == 4)
        {
            Assert.Equal(Math.Min(run.Length, model.Count), tree.RemoveSome(run.Length));
            foreach (TreeEntry entry in model.Take(run.Length).ToList()) model.Remove(entry);
            return;
        }

        for (int i = 0; i < run.Length; i++)
        {
            TreeEntry entry = Entry((int)((run.Start + (long)i * run.Stride) & 0x1FFFF));
            if (run.Kind == 3) Assert.Equal(model.Remove(entry), tree.Remove(entry));
            else Assert.Equal(model.Add(entry), tree.Insert(entry));
        }
    }

    [Fact]
    public void Empty_tree_answers()
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        Assert.False(tree.TryFirst(out _));
        Assert.False(tree.TryNext(default, out _));
        Assert.False(tree.Remove(Entry(1)));
        Assert.False(tree.Contains(Entry(1)));
        Assert.Equal(0, tree.RemoveSome(10));
        Assert.Equal(0, tree.Count);
        TestPages.OnlyHeaderLeft(pages, OrderedTree.HeaderSize);
    }

    [Fact]
    public void Extreme_entries_are_held_and_larger_ones_are_a_bug()
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        var last = new TreeEntry(TreeEntry.MaxTime, TreeEntry.MaxSequence, TreeEntry.MaxValue);
        Assert.True(tree.Insert(last));
        Assert.True(tree.Insert(default));
        Assert.False(tree.Insert(last));
        Assert.True(tree.TryFirst(out TreeEntry first));
        Assert.Equal(default, first);
        Assert.True(tree.TryNext(default, out TreeEntry next));
        Assert.Equal(last, next);
        Assert.False(tree.TryNext(last, out _));
        Assert.Throws<InvariantViolationException>(() => tree.Insert(new TreeEntry(TreeEntry.MaxTime + 1, 0, 0)));
        Assert.Throws<InvariantViolationException>(() => tree.Insert(new TreeEntry(-1, 0, 0)));
        Assert.Throws<InvariantViolationException>(() => tree.Insert(new TreeEntry(0, TreeEntry.MaxSequence + 1, 0)));
        Assert.Throws<InvariantViolationException>(() => tree.Insert(new TreeEntry(0, 0, TreeEntry.MaxValue + 1)));
    }

    [Fact]
    public void A_full_leaf_splits_on_the_next_entry_only()
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        for (int i = 0; i < 215; i++) tree.Insert(Entry(i * 2));
        Assert.Equal(2, pages.AllocatedPages);
        tree.Insert(Entry(1));
        Assert.Equal(4, pages.AllocatedPages);
        TreeValidator.Validate(pages);
    }

    [Fact]
    public void Ascending_entries_fill_their_pages()
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        for (int i = 0; i < 100_000; i++) tree.Insert(Entry(i));
        Assert.InRange(BytesPerEntry(pages, tree), 19.0, 19.3);
        TreeValidator.Validate(pages);
    }

    [Fact]
    public void Random_entries_fill_two_thirds_at_least() => Replay.Run(21, random =>
    {
        using PageStore pages = TestPages.Create();
        OrderedTree tree = Open(pages);
        for (int i = 1; i <= 200_000; i++)
        {
            tree.Insert(new TreeEntry((long)(random.NextUInt64() >> 30), i, i));
            if (i % 10_000 == 0) Assert.InRange(BytesPerEntry(pages, tree), 19.0, 28.8);
        }
    });

    private static double BytesPerEntry(PageStore pages, OrderedTree tree) =>
        (pages.AllocatedPages - 1) * (double)PageStore.PageSize / tree.Count;

    [Fact]
    public void The_same_history_gives_the_same_pages() => Replay.Run(22, random =>
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
    public void No_page_is_written_under_a_reading_pin() => Replay.Run(23, random =>
    {
        using PageStore pages = TestPages.Create(checkReads: true);
        Busy(Open(pages), random.NextUInt64(), 3_000, afterStep: _ => Assert.Equal(0, pages.LivePins));
        TreeValidator.Validate(pages);
    });

    private static void Busy(OrderedTree tree, ulong seed, int steps, Action<int> afterStep)
    {
        var random = new SplitMix64(seed);
        for (int step = 0; step < steps; step++)
        {
            TreeEntry entry = Entry(random.Below(5_000));
            if (random.Below(5) < 3) tree.Insert(entry);
            else tree.Remove(entry);
            afterStep(step);
        }
    }
}
