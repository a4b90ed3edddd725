using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>A checkpoint file with damage is made whole with what a peer has, and nothing damaged is used again.</summary>
public sealed class CheckpointRepairTests
{
    [Fact]
    public void OnlyDamagedPagesAreFetchedAgain()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            (CheckpointWorld sender, CheckpointWorld damaged) = Twins(seed);
            var random = new SplitMix64(seed);
            var hit = new HashSet<uint>();
            foreach ((uint page, uint slot) in PagesOf(damaged))
            {
                if (random.NextBelow(9) > 0) continue;
                damaged.Disk.FlipBit(CheckpointWorld.Path, (slot * (long)PageStore.PageSize) + random.NextBelow(PageStore.PageSize), 3);
                hit.Add(page);
            }

            AdoptionProgress progress = Adoption.Run(sender, damaged, verifyOwn: true);
            Assert.Equal(hit.Count, progress.PagesFetched);
            CheckpointAdoptionTests.AssertSame(sender, damaged);
        }
    }

    [Fact]
    public void APageIsMendedWhereItStandsByNothingButItself()
    {
        (CheckpointWorld sender, CheckpointWorld damaged) = Twins(5);
        (uint page, uint slot) = PagesOf(damaged).ElementAt(3);
        var name = new PageName(0, page, PageHash.OfPage(damaged.Disk.ReadAll(CheckpointWorld.Path).AsSpan((int)slot * PageStore.PageSize, PageStore.PageSize)));
        damaged.Disk.FlipBit(CheckpointWorld.Path, (slot * (long)PageStore.PageSize) + 77, 3);
        using CheckpointReader good = sender.File.OpenReader()!;
        using CheckpointReader own = damaged.File.OpenReader()!;
        byte[] content = new byte[PageStore.PageSize];
        bool[] found = new bool[1];
        Assert.Equal(0, own.Read([name], found, content));
        Assert.Equal([name], own.TakeDamaged());
        Assert.Empty(own.TakeDamaged());

        Assert.True(own.Has(name));
        Assert.False(own.Has(name with { Hash = name.Hash + 1 }));
        Assert.Equal(PageStore.PageSize, good.Read([name], found, content));
        Assert.False(own.TryMend(name, content.AsSpan(1)));
        Assert.False(own.TryMend(name with { Number = page + 1 }, content));
        content[5] ^= 1;
        Assert.False(own.TryMend(name, content));
        content[5] ^= 1;
        Assert.False(damaged.Check().IsClean);
        Assert.True(own.TryMend(name, content));
        Assert.True(damaged.Check().IsClean);
        Assert.Equal(PageStore.PageSize, own.Read([name], found, content));

        own.Revoke();
        Assert.False(own.TryMend(name, content));
    }

    [Fact]
    public void OneSyncMakesAllThatWasMendedDurable()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            (CheckpointWorld sender, CheckpointWorld damaged) = Twins(5);
            using CheckpointReader good = sender.File.OpenReader()!;
            using CheckpointReader own = damaged.File.OpenReader()!;
            List<(uint Page, uint Slot)> pages = [.. PagesOf(damaged)];
            byte[] file = damaged.Disk.ReadAll(CheckpointWorld.Path);
            PageName[] names = [.. pages.Select(page => new PageName(0, page.Page, PageHash.OfPage(file.AsSpan((int)page.Slot * PageStore.PageSize, PageStore.PageSize))))];
            foreach ((_, uint slot) in pages) damaged.Disk.FlipBit(CheckpointWorld.Path, (slot * (long)PageStore.PageSize) + 77, 3);
            byte[] content = new byte[PageStore.PageSize];
            long syncs = damaged.Disk.CountOf(DiskOperation.DataSync);
            foreach (PageName name in names)
            {
                good.Read([name], new bool[1], content);
                Assert.True(own.TryMend(name, content));
            }

            own.SyncMended();
            Assert.Equal(syncs + 1, damaged.Disk.CountOf(DiskOperation.DataSync));
            damaged.Disk.Crash(CrashMode.PowerLoss, new SplitMix64(seed));
            Assert.True(damaged.Check().IsClean);
        }
    }

    [Fact]
    public void DamageOfAnySlotIsRepairedAlsoOfTheTable()
    {
        (CheckpointWorld sender, CheckpointWorld counted) = Twins(3);
        long slots = counted.File.FileBytes / PageStore.PageSize;
        for (long slot = 0; slot < slots; slot++)
        {
            (_, CheckpointWorld damaged) = Twins(3);
            damaged.Disk.FlipBit(CheckpointWorld.Path, (slot * PageStore.PageSize) + 40, 5);
            damaged.Continue();
            AdoptionProgress progress = Adoption.Run(sender, damaged, verifyOwn: true);
            Assert.InRange(progress.PagesFetched, 0, 1 + sender.Model.Pages.Count);
            CheckpointAdoptionTests.AssertSame(sender, damaged);
        }
    }

    [Fact]
    public void WhatIsLeftOfATableWithADamagedLeafIsUsed()
    {
        var sender = new CheckpointWorld(21);
        var damaged = new CheckpointWorld(21);
        foreach (CheckpointWorld world in new[] { sender, damaged })
        {
            for (int i = 0; i < 600; i++) world.Model.Allocate(world.Store);
            world.Churn(2000, 700);
            world.Checkpoint();
        }

        using (CheckpointReader reader = damaged.File.OpenReader()!)
        {
            uint leaf = reader.State.Superblock.Root.Slot - 2; // written last: leaves, their parent, the root
            damaged.Disk.FlipBit(CheckpointWorld.Path, (leaf * (long)PageStore.PageSize) + 9, 1);
        }

        damaged.Continue();
        Assert.Null(damaged.File.Newest);
        AdoptionProgress progress = Adoption.Run(sender, damaged);
        Assert.InRange(progress.PagesFetched, 1, 256);
        CheckpointAdoptionTests.AssertSame(sender, damaged);
    }

    [Fact]
    public void AFileOfNothingButGarbageIsAnEmptyNode()
    {
        (CheckpointWorld sender, CheckpointWorld damaged) = Twins(4);
        long bytes = damaged.File.FileBytes;
        for (long at = 0; at < bytes; at += 64) damaged.Disk.FlipBit(CheckpointWorld.Path, at, 2);
        damaged.Continue();
        Assert.Equal(sender.Model.Pages.Count, Adoption.Run(sender, damaged).PagesFetched);
        CheckpointAdoptionTests.AssertSame(sender, damaged);
    }

    [Fact]
    public void ASenderGivesNoDamagedPage()
    {
        (CheckpointWorld sender, CheckpointWorld whole) = Twins(5);
        (uint page, uint slot) = PagesOf(sender).ElementAt(7);
        sender.Disk.FlipBit(CheckpointWorld.Path, (slot * (long)PageStore.PageSize) + 100, 0);
        var receiver = new CheckpointWorld(6);
        using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        using (CheckpointReader reader = sender.File.OpenReader()!)
        {
            adopter.AimAt(reader);
            Adoption.FetchAll(reader, adopter);
            Assert.Equal(new PageNumber(page), reader.Damage!.Page);
        }

        Assert.False(adopter.HasAll);
        Assert.Equal(adopter.Progress.PagesNeeded - 1, adopter.Progress.PagesFetched);
        using CheckpointReader other = whole.File.OpenReader()!;
        adopter.AskAgain();
        adopter.AimAt(other);
        Adoption.FetchAll(other, adopter);
        Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
        adopter.Commit();
        CheckpointAdoptionTests.AssertSame(whole, receiver);
    }

    [Fact]
    public void AReaderGivesOnlyWhatIsNamed()
    {
        (CheckpointWorld sender, _) = Twins(7);
        using CheckpointReader reader = sender.File.OpenReader()!;
        PageName[] names =
        [
            PageName.Root(reader.RootHash), PageName.Root(reader.RootHash + 1), new(2, 9, 4), new(1, 70_000, 4), new(0, 16_000_000, 4), new(0, 1, 4),
        ];
        bool[] found = new bool[names.Length];
        byte[] contents = new byte[names.Length * PageName.PageBytes];
        Assert.Equal(PageName.NodeBytes, reader.Read(names, found, contents));
        Assert.Equal([true, false, false, false, false, false], found);
    }

    /// <summary>Two files with the same newest state, of which the first has been written more often.</summary>
    private static (CheckpointWorld Sender, CheckpointWorld Twin) Twins(ulong seed)
    {
        var sender = new CheckpointWorld(seed);
        var twin = new CheckpointWorld(seed);
        for (int i = 0; i < 4; i++)
        {
            sender.Churn(60);
            sender.Checkpoint();
            twin.Churn(60);
            twin.Checkpoint();
        }

        return (sender, twin);
    }

    private static List<(uint Page, uint Slot)> PagesOf(CheckpointWorld world)
    {
        using CheckpointReader reader = world.File.OpenReader()!;
        (TableNode? root, _) = TableReader.Read(
            world.Disk.Open(CheckpointWorld.Path, create: false), reader.State.Superblock, damage => Assert.Fail(damage.ToString()));
        var found = new List<(uint, uint)>();
        foreach ((TableNode leaf, uint firstPage) in root!.Leaves())
        {
            for (int i = leaf.NextUsed(0); i < TableNode.FanOut; i = leaf.NextUsed(i + 1)) found.Add((firstPage + (uint)i, leaf[i].Slot));
        }

        return found;
    }
}
