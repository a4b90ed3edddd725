using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

public sealed class CheckpointDamageTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void DamageToTheNewestFallsBackToTheOlderAndIsTold(int whatIsHit)
    {
        CheckpointWorld world = TwoCheckpoints(out Superblock newest, out TableNode root);
        string expected = Hit(world, newest, root, whatIsHit);
        CheckpointFile file = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        file.Verify();
        using PageStore store = file.Load(new PageStoreOptions());
        Assert.Equal(1, file.Newest!.Index.Value);
        Assert.Null(file.Older);
        world.ByIndex[1].AssertHeldBy(store);
        Assert.Contains(expected, Assert.Single(file.Damage).ToString(), StringComparison.Ordinal);
        Assert.False(world.Check().IsClean);

        // Written on, and the damaged one is overwritten before the older one.
        using (PageHandle page = store.Pin(PageNumber.Root, PageIntent.Write)) page.Write[9] = 9;
        using (CheckpointWriter writer = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(3))))
        {
            while (writer.RunOnce())
            {
            }

            writer.Commit();
        }

        CheckpointFile again = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        Assert.Equal(3, again.Newest!.Index.Value);
        Assert.Equal(1, again.Older!.Index.Value);
        Assert.Equal(store.ComputeRootHash(), again.RootHash);
        Assert.True(world.Check().IsClean);
    }

    [Fact]
    public void TheOlderOneIsWholeWhenItSharesNodesOfTheTableWithTheDamagedOne()
    {
        var world = new CheckpointWorld(12);
        for (int i = 1; i < 700; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        world.Model.Write(world.Store, 300, world.Random);
        world.Checkpoint();
        Flip(world, ReadTable(world, 2).Root.Child(0)!.Child(1)![300 - 256].Slot);
        CheckpointFile file = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        file.Verify();
        Assert.Equal(new PageNumber(300), Assert.Single(file.Damage).Page);
        using PageStore store = file.Load(new PageStoreOptions());
        world.ByIndex[1].AssertHeldBy(store);
    }

    [Fact]
    public void EveryBitOfASuperblockCounts()
    {
        var world = new CheckpointWorld(4);
        world.Checkpoint();
        byte[] block = world.Disk.ReadAll(CheckpointWorld.Path)[..PageStore.PageSize];
        Assert.NotNull(Superblock.TryDecode(block));
        for (int bit = 0; bit < block.Length * 8; bit += bit < 1000 ? 1 : 13)
        {
            block[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(Superblock.TryDecode(block));
            block[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void WithBothDamagedTheFirstDamagedPageIsNamed()
    {
        CheckpointWorld world = TwoCheckpoints(out _, out TableNode root);
        TableNode leaf = root.Child(0)!.Child(0)!;
        TableNode older = ReadTable(world, 1).Root.Child(0)!.Child(0)!;
        Flip(world, leaf[7].Slot);
        Flip(world, older[5].Slot);
        CheckpointFile file = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        var thrown = Assert.Throws<CheckpointDamagedException>(file.Verify);
        Assert.Equal(new PageNumber(7), thrown.Damage.Page);
        Assert.Equal(2, thrown.Damage.CheckpointIndex);
        Assert.Equal([new PageNumber(7), new PageNumber(5)], file.Damage.Select(damage => damage.Page!.Value));
        Assert.Null(file.Newest);
    }

    [Fact]
    public void TheCheckFindsEveryDamagedSlotAndNothingElse()
    {
        CheckpointWorld world = TwoCheckpoints(out Superblock newest, out TableNode root);
        Assert.True(world.Check().IsClean);
        Assert.Equal([2L, 1L], world.Check().Checkpoints.Select(info => info.Index.Value));
        SlotMap used = ReadTable(world, 2).Map;
        used.AddAll(ReadTable(world, 1).Map);
        long slots = world.File.FileBytes / PageStore.PageSize;
        Assert.Equal(used.Count(), world.Check().UsedSlots);
        for (uint slot = Superblock.Places; slot < slots; slot++)
        {
            Flip(world, slot);
            Assert.Equal(used.Contains(slot), !world.Check().IsClean);
            Flip(world, slot);
        }

        Assert.NotEqual(0u, newest.Root.Slot);
        Assert.Equal(newest.Root.Hash, root.Hash());
    }

    [Fact]
    public void TheCheckSurvivesGarbage()
    {
        var random = new SplitMix64(99);
        for (int round = 0; round < 300; round++)
        {
            CheckpointWorld world = TwoCheckpoints(out _, out _);
            using IDiskFile file = world.Disk.Open(CheckpointWorld.Path, create: false);
            byte[] garbage = new byte[1 + random.NextBelow(9000)];
            for (int i = 0; i < garbage.Length; i++) garbage[i] = (byte)random.NextUInt64();
            file.WriteAt(random.NextBelow(file.Length), garbage);
            if (round % 3 == 0) file.SetLength(random.NextBelow(file.Length));
            CheckpointCheckReport report = world.Check();
            Assert.Equal(report.DamageCount == 0, report.Damage.Count == 0);
        }
    }

    /// <summary>Tables whose checksums are right but which no writer would make.</summary>
    [Theory]
    [InlineData("used twice")]
    [InlineData("outside the file")]
    [InlineData("checksum for nothing")]
    [InlineData("the superblock says")]
    public void ASealedButImpossibleTableIsDamage(string what)
    {
        CheckpointWorld world = TwoCheckpoints(out Superblock newest, out TableNode root);
        TableNode leaf = root.Child(0)!.Child(0)!.Clone();
        TableEntry entry = leaf[3];
        if (what == "used twice") leaf.Set(200, entry);
        if (what == "outside the file") leaf.Set(3, entry with { Slot = 1_000_000 });
        if (what == "checksum for nothing") leaf.Set(200, new TableEntry(0, 1, 1));
        if (what == "the superblock says") leaf.Set(3, default);
        TableNode middle = root.Child(0)!.Clone();
        TableNode top = root.Clone();
        middle.Set(0, new TableEntry(middle[0].Slot, leaf.Crc(), leaf.Hash()));
        top.Set(0, new TableEntry(top[0].Slot, middle.Crc(), middle.Hash()));
        Superblock sealedBlock = newest with { Root = new TableEntry(newest.Root.Slot, top.Crc(), top.Hash()) };
        using (IDiskFile raw = world.Disk.Open(CheckpointWorld.Path, create: false))
        {
            raw.WriteAt((long)middle[0].Slot * PageStore.PageSize, leaf.Bytes);
            raw.WriteAt((long)top[0].Slot * PageStore.PageSize, middle.Bytes);
            raw.WriteAt((long)newest.Root.Slot * PageStore.PageSize, top.Bytes);
            raw.WriteAt(PageStore.PageSize, sealedBlock.Encode());
        }

        CheckpointFile file = CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options);
        Assert.Contains(what, Assert.Single(file.Damage).What, StringComparison.Ordinal);
        Assert.Equal(1, file.Newest!.Index.Value);
        Assert.Contains(world.Check().Damage, damage => damage.What.Contains(what, StringComparison.Ordinal));
    }

    [Fact]
    public void ASlotThatCannotBeReadIsDamageWherever()
    {
        CheckpointWorld world = TwoCheckpoints(out Superblock newest, out TableNode root);
        TableNode leaf = root.Child(0)!.Child(0)!;
        uint leafSlot = root.Child(0)![0].Slot;
        foreach (uint slot in new uint[] { 1, newest.Root.Slot, root[0].Slot, leafSlot, leaf[1].Slot, leaf[13].Slot })
        {
            var disk = new CountingDisk(world.Disk) { UnreadableSlot = slot };
            CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
            file.Verify();
            using PageStore store = file.Load(new PageStoreOptions());
            world.ByIndex[1].AssertHeldBy(store);
            CheckpointDamage damage = Assert.Single(file.Damage);
            if (slot == leaf[13].Slot) Assert.Equal(new PageNumber(13), damage.Page);
            Assert.False(CheckpointCheck.Check(disk, CheckpointWorld.Path, _ => { }).IsClean);
        }
    }

    private static CheckpointWorld TwoCheckpoints(out Superblock newest, out TableNode root)
    {
        var world = new CheckpointWorld(11);
        for (int i = 0; i < 20; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        for (uint page = 1; page <= 20; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        (newest, root, _) = ReadTable(world, 2);
        return world;
    }

    private static (Superblock Superblock, TableNode Root, SlotMap Map) ReadTable(CheckpointWorld world, long index)
    {
        byte[] all = world.Disk.ReadAll(CheckpointWorld.Path);
        Superblock superblock = Superblock.TryDecode(all.AsSpan(0, PageStore.PageSize))!;
        var second = Superblock.TryDecode(all.AsSpan(PageStore.PageSize, PageStore.PageSize));
        if (superblock.Info.Index.Value != index) superblock = second!;
        Assert.Equal(index, superblock.Info.Index.Value);
        using IDiskFile file = world.Disk.Open(CheckpointWorld.Path, create: false);
        (TableNode? root, SlotMap map) = TableReader.Read(file, superblock, damage => Assert.Fail(damage.ToString()));
        return (superblock, root!, map);
    }

    private static string Hit(CheckpointWorld world, Superblock newest, TableNode root, int what)
    {
        uint slot = what switch
        {
            0 => 1, // the second superblock, which the second checkpoint is in
            1 => newest.Root.Slot,
            2 => root[0].Slot,
            3 => root.Child(0)![0].Slot,
            _ => root.Child(0)!.Child(0)![13].Slot,
        };
        Flip(world, slot);
        return what switch { 0 => "superblock 1", 1 => "table root", 2 => "table node", 3 => "table leaf", _ => "page 13" };
    }

    private static void Flip(CheckpointWorld world, uint slot) =>
        world.Disk.FlipBit(CheckpointWorld.Path, ((long)slot * PageStore.PageSize) + 77, 3);
}
