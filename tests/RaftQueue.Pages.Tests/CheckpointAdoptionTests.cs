using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

public sealed class CheckpointAdoptionTests
{
    /// <summary>Two histories with a common beginning, against dictionaries: what is fetched is what differs, no page more.</summary>
    [Fact]
    public void OnlyPagesThatDifferAreFetched() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(ushort Seed, byte Common, byte Apart, byte Own, byte Pages)>(), item =>
        {
            int pages = 3 + (item.Pages * 5);
            CheckpointWorld sender = WithHistory(item.Seed, item.Common, pages);
            CheckpointWorld receiver = WithHistory(item.Seed, item.Common, pages);
            receiver.Churn(item.Own, pages);
            receiver.Checkpoint();
            for (int i = 0; i < 3; i++)
            {
                sender.Churn(item.Apart, pages);
                sender.Checkpoint();
            }

            long differ = sender.Model.Pages.Count(page =>
                !receiver.Model.Pages.TryGetValue(page.Key, out byte[]? own) || !own.AsSpan().SequenceEqual(page.Value));
            AdoptionProgress progress = Adoption.Run(sender, receiver);
            Assert.Equal((differ, differ), (progress.PagesNeeded, progress.PagesFetched));
            Assert.InRange(progress.BytesFetched, differ * PageName.PageBytes, (differ * PageName.PageBytes) + (7 * PageName.NodeBytes));
            AssertSame(sender, receiver);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void AnEmptyNodeTakesEverythingAndTheSameStateCostsNothing()
    {
        CheckpointWorld sender = WithHistory(7, 200, 900);
        for (int i = 0; i < 700; i++) sender.Model.Allocate(sender.Store);
        sender.Checkpoint();
        var receiver = new CheckpointWorld(8);
        Assert.Equal(sender.Model.Pages.Count, Adoption.Run(sender, receiver).PagesFetched);
        AssertSame(sender, receiver);
        Assert.Equal(0, Adoption.Run(sender, receiver).BytesFetched);
        AssertSame(sender, receiver);
    }

    [Fact]
    public void AStateOfSeveralMiddleNodesComesOverAndIsWrittenOn()
    {
        var sender = new CheckpointWorld(32, new CheckpointOptions());
        var receiver = new CheckpointWorld(33, new CheckpointOptions());
        for (int i = 0; i < 66_000; i++) sender.Store.Allocate();
        for (uint page = 300; page < 65_000; page++) sender.Store.Free(new PageNumber(page));
        sender.Checkpoint();
        Assert.Equal(1_301, Adoption.Run(sender, receiver).PagesFetched);

        using (PageHandle last = sender.Store.Pin(new PageNumber(65_999), PageIntent.Write)) last.Write.Fill(7);
        sender.Checkpoint();
        AdoptionProgress progress = Adoption.Run(sender, receiver);
        Assert.Equal((1, PageName.PageBytes + (3L * PageName.NodeBytes)), (progress.PagesFetched, progress.BytesFetched));
        using PageStore store = receiver.File.Load(new PageStoreOptions());
        Assert.Equal(sender.Store.ComputeRootHash(), store.ComputeRootHash());
        Assert.Equal(new PageNumber(300), store.Allocate());
        using (CheckpointWriter next = receiver.File.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(9))))
        {
            while (next.RunOnce())
            {
            }

            next.Commit();
        }

        Assert.True(receiver.Check().IsClean);
    }

    [Fact]
    public void TheSendersCheckpointMovesAgainAndAgain()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            CheckpointWorld sender = WithHistory(seed, 300, 200);
            var receiver = new CheckpointWorld(seed);
            CheckpointReader reader = sender.File.OpenReader()!;
            using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
            adopter.AimAt(reader);
            for (int round = 0; round < 8; round++)
            {
                for (int i = 0; i < 3; i++) Adoption.Step(reader, adopter, 9);

                // The checkpoint that is read stays as it is while its own writer goes on.
                for (int i = 0; i < 4; i++)
                {
                    sender.Churn(10, 200);
                    sender.Checkpoint();
                }

                reader.Dispose();
                reader = sender.File.OpenReader()!;
                adopter.AskAgain();
                adopter.AimAt(reader);
            }

            Adoption.FetchAll(reader, adopter);
            Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
            adopter.Commit();
            AssertSame(sender, receiver);

            // What was fetched of an older checkpoint and is still the same is not fetched again.
            Assert.InRange(adopter.Progress.BytesFetched / PageName.PageBytes, sender.Model.Pages.Count, sender.Model.Pages.Count + 200);
            reader.Dispose();
        }
    }

    [Fact]
    public void AnotherPeerGoesOnWhereOneStopped()
    {
        CheckpointWorld one = WithHistory(5, 400, 300);
        CheckpointWorld two = WithHistory(5, 0, 300);
        two.Churn(400, 300);
        two.Checkpoint(); // the same state, elsewhere in its file
        two.Checkpoint();
        var receiver = new CheckpointWorld(6);
        using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        using (CheckpointReader first = one.File.OpenReader()!)
        {
            adopter.AimAt(first);
            for (int i = 0; i < 5; i++) Adoption.Step(first, adopter);
            adopter.TakeWanted(new PageName[20]); // asked, and the connection broke
        }

        Assert.InRange(adopter.Progress.PagesFetched, 1, adopter.Progress.PagesNeeded - 20);
        using CheckpointReader second = two.File.OpenReader()!;
        adopter.AskAgain();
        adopter.AimAt(second);
        Adoption.FetchAll(second, adopter);
        Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
        adopter.Commit();
        AssertSame(two, receiver);
        Assert.InRange(
            adopter.Progress.BytesFetched, 0, (one.Model.Pages.Count * (long)PageName.PageBytes) + (4 * PageName.NodeBytes));
    }

    [Fact]
    public void GarbageIsNotTaken()
    {
        CheckpointWorld sender = WithHistory(9, 300, 120);
        var receiver = new CheckpointWorld(10);
        receiver.Churn(30);
        receiver.Checkpoint();
        using CheckpointReader reader = sender.File.OpenReader()!;
        using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        adopter.AimAt(reader);
        PageName[] name = new PageName[1];
        bool[] found = new bool[1];
        byte[] content = new byte[PageName.PageBytes];
        int bit = 0;
        while (adopter.TakeWanted(name) > 0)
        {
            int length = reader.Read(name, found, content);
            content[bit * 13 % length] ^= 1;
            Assert.False(adopter.Give(name[0], content.AsSpan(0, length)));
            content[bit * 13 % length] ^= 1;
            Assert.False(adopter.Give(name[0], content.AsSpan(0, length - 1)));
            Assert.False(adopter.Give(name[0], []));

            // What nobody asked for changes nothing.
            Assert.True(adopter.Give(name[0] with { Number = name[0].Number ^ 77 }, content.AsSpan(0, length)));
            Assert.True(adopter.Give(name[0] with { Hash = 5 }, content.AsSpan(0, length)));
            Assert.True(adopter.Give(name[0], content.AsSpan(0, length)));
            bit++;
        }

        Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
        adopter.Commit();
        AssertSame(sender, receiver);
    }

    [Fact]
    public void ATableThatNoCheckpointHasIsRefusedAndAnotherIsTaken()
    {
        CheckpointWorld sender = WithHistory(11, 300, 120);
        var receiver = new CheckpointWorld(12);
        using CheckpointReader reader = sender.File.OpenReader()!;
        using CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false);
        adopter.Aim(reader.Info, reader.RootHash, reader.Pages - 1);
        Adoption.FetchAll(reader, adopter);
        Assert.Equal(CheckpointOutcome.Damaged, adopter.Outcome);
        Assert.False(adopter.HasAll);

        adopter.Aim(reader.Info, reader.RootHash, reader.Pages + 1);
        Adoption.FetchAll(reader, adopter);
        Assert.Equal(CheckpointOutcome.Damaged, adopter.Assemble());
        adopter.Dispose();

        using CheckpointAdopter again = receiver.File.BeginAdopt(verifyOwn: false);
        again.Aim(reader.Info, 0, reader.Pages);
        Assert.Equal(CheckpointOutcome.Damaged, again.Outcome);

        // Page 0 and no page 1.
        byte[] leaf = new byte[PageName.NodeBytes];
        leaf[0] = 1;
        AimAtLeaf(again, reader.Info, leaf, 1);
        Assert.Equal(CheckpointOutcome.Damaged, again.Outcome);
        AimAtLeaf(again, reader.Info, new byte[PageName.NodeBytes], 1, isTaken: false);
        again.AimAt(reader);
        Adoption.FetchAll(reader, again);
        Assert.Equal(CheckpointOutcome.Ready, again.Assemble());
        again.Commit();
        AssertSame(sender, receiver);
    }

    [Fact]
    public void AFullDiskEndsItAndTheOldCheckpointStays()
    {
        CheckpointWorld sender = WithHistory(13, 900, 400);
        var receiver = new CheckpointWorld(14);
        receiver.Churn(100);
        receiver.Checkpoint();
        ulong hash = receiver.File.RootHash;
        receiver.Disk.CapacityBytes = receiver.File.FileBytes + (64 * PageStore.PageSize);
        using (CheckpointReader reader = sender.File.OpenReader()!)
        using (CheckpointAdopter adopter = receiver.File.BeginAdopt(verifyOwn: false))
        {
            adopter.AimAt(reader);
            Adoption.FetchAll(reader, adopter);
            Assert.Equal(CheckpointOutcome.DiskFull, adopter.Outcome);
        }

        Assert.Equal(hash, receiver.File.RootHash);
        receiver.Churn(20);
        receiver.Checkpoint();
        receiver.Reopen();
    }

    private static void AimAtLeaf(CheckpointAdopter adopter, CheckpointInfo info, byte[] leaf, long pages, bool isTaken = true)
    {
        ulong hash = HashOf(leaf, 1);
        byte[] middle = new byte[PageName.NodeBytes];
        BitConverter.TryWriteBytes(middle, hash);
        byte[] root = new byte[PageName.NodeBytes];
        BitConverter.TryWriteBytes(root, HashOf(middle, 2));
        adopter.Aim(info, HashOf(root, 3), pages);
        foreach ((int level, byte[] content) in new[] { (3, root), (2, middle), (1, leaf) })
        {
            PageName[] name = new PageName[1];
            Assert.Equal(1, adopter.TakeWanted(name));
            Assert.Equal(level, name[0].Level);
            Assert.Equal(level > 1 || isTaken, adopter.Give(name[0], content));
        }
    }

    private static ulong HashOf(byte[] node, int level) =>
        PageHash.Of(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(node), (ulong)level);

    private static CheckpointWorld WithHistory(ulong seed, int steps, int pages)
    {
        var world = new CheckpointWorld(seed);
        world.Churn(steps, pages);
        world.Checkpoint();
        return world;
    }

    internal static void AssertSame(CheckpointWorld sender, CheckpointWorld receiver)
    {
        Assert.Equal(sender.File.RootHash, receiver.File.RootHash);
        Assert.Null(receiver.File.Older);
        receiver.File.Dispose();
        using CheckpointFile file = CheckpointFile.OpenOrCreate(receiver.Disk, CheckpointWorld.Path, receiver.Options);
        Assert.Equal(sender.File.Newest, file.Newest);
        Assert.Empty(file.Damage);
        Assert.True(receiver.Check().IsClean);
        using (PageStore store = file.Load(new PageStoreOptions()))
        {
            sender.Model.AssertHeldBy(store);
            Assert.Equal(sender.File.RootHash, store.ComputeRootHash());
        }

        receiver.Continue();
    }
}
