using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

public sealed class CheckpointTransferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(700)]
    public void TheStreamIsTheSameOnNodesWhoseFilesDiffer(int pages)
    {
        var often = new CheckpointWorld(31);
        var once = new CheckpointWorld(31);
        for (int i = 1; i < pages; i++)
        {
            often.Model.Allocate(often.Store);
            once.Model.Allocate(once.Store);
        }

        for (int i = 0; i < 7; i++)
        {
            often.Churn(50, pages);
            often.Checkpoint();
            once.Churn(50, pages);
        }

        using CheckpointWriter writer = once.File.BeginWrite(once.Store.Freeze(CheckpointWorld.InfoFor(7)));
        while (writer.RunOnce())
        {
        }

        writer.Commit();
        using CheckpointReader first = often.File.OpenReader()!;
        using CheckpointReader second = once.File.OpenReader()!;
        Assert.Equal(first.RootHash, second.RootHash);
        byte[] stream = ReadAll(first, 4096 * 5);
        Assert.Equal(stream, ReadAll(second, 1000));
        Assert.Equal(stream.Length, first.TotalBytes);
        Assert.Equal(0, first.Read(first.TotalBytes, new byte[10]));
    }

    [Fact]
    public void AStateOfSeveralMiddleNodesComesOver()
    {
        var sender = new CheckpointWorld(32, new CheckpointOptions());
        for (int i = 0; i < 66_000; i++) sender.Store.Allocate();
        for (uint page = 300; page < 65_000; page++) sender.Store.Free(new PageNumber(page));
        using (PageHandle last = sender.Store.Pin(new PageNumber(65_999), PageIntent.Write)) last.Write.Fill(7);
        using (CheckpointWriter writer = sender.File.BeginWrite(sender.Store.Freeze(CheckpointWorld.InfoFor(1))))
        {
            while (writer.RunOnce())
            {
            }

            writer.Commit();
        }

        using CheckpointReader reader = sender.File.OpenReader()!;
        var disk = new FakeDisk();
        disk.CreateDirectory(CheckpointWorld.Directory);
        using CheckpointReceiver receiver = CheckpointWorld.Transfer(reader, disk, CheckpointWorld.Path, 1 << 20);
        Assert.Equal(CheckpointOutcome.Committed, receiver.Finish());
        CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, new CheckpointOptions());
        using PageStore store = file.Load(new PageStoreOptions());
        Assert.Equal(sender.Store.ComputeRootHash(), store.ComputeRootHash());
        Assert.Equal(sender.Store.AllocatedPages, store.AllocatedPages);
        Assert.Equal(sender.Store.FreePages, store.FreePages);
        Assert.Equal(new PageNumber(300), store.Allocate());

        // The received file is written on like any other.
        using CheckpointWriter next = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(2)));
        while (next.RunOnce())
        {
        }

        next.Commit();
        Assert.True(CheckpointCheck.Check(disk, CheckpointWorld.Path, _ => { }).IsClean);
    }

    [Fact]
    public void AnyDamageOnTheWayIsSeenAndNothingIsReplaced()
    {
        var sender = new CheckpointWorld(33);
        sender.Churn(200);
        sender.Checkpoint();
        using CheckpointReader reader = sender.File.OpenReader()!;
        byte[] stream = ReadAll(reader, 1 << 16);
        var world = new CheckpointWorld(34);
        world.Churn(30);
        world.Checkpoint();
        for (int block = 0; block < stream.Length / PageStore.PageSize; block++)
        {
            byte[] bad = (byte[])stream.Clone();
            bad[(block * PageStore.PageSize) + (block * 37 % PageStore.PageSize)] ^= 0x10;
            CheckpointOutcome outcome = Receive(world, reader.Info, bad, stream.Length, out CheckpointDamage? damage);
            Assert.Equal(CheckpointOutcome.Damaged, outcome);
            Assert.NotNull(damage);
        }

        Assert.Equal(CheckpointOutcome.Damaged, Receive(world, reader.Info, stream[..(4 * 4096)], stream.Length, out _));
        Assert.Equal(CheckpointOutcome.Damaged, Receive(world, reader.Info, stream[..^4096], stream.Length - 4096, out _));
        Assert.Equal(CheckpointOutcome.Damaged, Receive(world, CheckpointWorld.InfoFor(500), stream, stream.Length, out _));
        Assert.Equal(CheckpointOutcome.Damaged, Receive(world, reader.Info, stream, stream.Length + 1, out _));
        Assert.Equal(CheckpointOutcome.Damaged, Receive(world, reader.Info, [], 0, out _));
        Assert.Equal(["checkpoint"], world.Disk.ListFiles(CheckpointWorld.Directory));
        world.Reopen();
        Assert.Equal(CheckpointOutcome.Committed, Receive(world, reader.Info, stream, stream.Length, out _));
    }

    [Fact]
    public void BytesOutOfOrderAndTwiceAreFineAndBeyondTheEndAreNot()
    {
        var sender = new CheckpointWorld(35);
        sender.Churn(100);
        sender.Checkpoint();
        using CheckpointReader reader = sender.File.OpenReader()!;
        byte[] stream = ReadAll(reader, 1 << 16);
        var world = new CheckpointWorld(36);
        using (CheckpointReceiver receiver = Begin(world, reader.Info, stream.Length))
        {
            for (int round = 0; round < 2; round++)
            {
                for (int at = (stream.Length - 1) / 1000 * 1000; at >= 0; at -= 1000)
                {
                    receiver.Write(at, stream.AsSpan(at, Math.Min(1000, stream.Length - at)));
                }
            }

            Assert.Equal(CheckpointOutcome.Committed, receiver.Finish());
        }

        using CheckpointReceiver beyond = Begin(world, reader.Info, stream.Length);
        Assert.Equal(CheckpointOutcome.Damaged, beyond.Write(stream.Length - 1, new byte[2]));
    }

    private static CheckpointReceiver Begin(CheckpointWorld world, CheckpointInfo info, long totalBytes) =>
        CheckpointReceiver.BeginReceive(world.Disk, CheckpointWorld.Path, info, totalBytes);

    private static CheckpointOutcome Receive(
        CheckpointWorld world,
        CheckpointInfo info,
        byte[] stream,
        long announced,
        out CheckpointDamage? damage)
    {
        using CheckpointReceiver receiver = Begin(world, info, announced);
        receiver.Write(0, stream);
        CheckpointOutcome outcome = receiver.Finish();
        damage = receiver.Damage;
        return outcome;
    }

    private static byte[] ReadAll(CheckpointReader reader, int piece)
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[piece];
        for (long position = 0; position < reader.TotalBytes;)
        {
            int count = reader.Read(position, buffer);
            all.Write(buffer, 0, count);
            position += count;
        }

        return all.ToArray();
    }
}
