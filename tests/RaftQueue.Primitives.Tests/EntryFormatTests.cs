namespace RaftQueue.Primitives.Tests;

public sealed class EntryFormatTests
{
    [Fact]
    public void AnEntryReadsBackAsItWasWritten()
    {
        byte[] entry = Build(out EntryHeader written);
        Assert.True(EntryHeader.TryRead(entry, out EntryHeader read));
        Assert.Equal(written, read);
        Assert.True(EntryHeader.ChecksumHolds(entry));
        ReadOnlySpan<byte> commands = entry.AsSpan(EntryHeader.Size);
        Assert.True(CommandFrame.TryTake(ref commands, out CommandFrame first));
        Assert.Equal(17, first.Type);
        Assert.Equal(new Incarnation(5), first.Origin);
        Assert.Equal(9UL, first.RequestNumber);
        Assert.Equal([1, 2, 3], first.Body.ToArray());
        Assert.True(CommandFrame.TryTake(ref commands, out CommandFrame second));
        Assert.Equal(0, second.Body.Length);
        Assert.False(CommandFrame.TryTake(ref commands, out _));
        Assert.True(commands.IsEmpty);
    }

    [Fact]
    public void EveryFlippedBitIsSeen()
    {
        byte[] entry = Build(out _);
        for (int bit = 0; bit < entry.Length * 8; bit++)
        {
            entry[bit / 8] ^= (byte)(1 << (bit % 8));
            bool intact = EntryHeader.TryRead(entry, out EntryHeader header)
                && header.Length == entry.Length - EntryHeader.Size
                && EntryHeader.ChecksumHolds(entry);
            Assert.False(intact, $"bit {bit}");
            entry[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void ALengthBeyondTheEndIsNotAFrame()
    {
        byte[] frame = new byte[CommandFrame.HeaderSize];
        CommandFrame.WriteHeader(frame, 16, default, 0, 1);
        ReadOnlySpan<byte> commands = frame;
        Assert.False(CommandFrame.TryTake(ref commands, out _));
        Assert.False(commands.IsEmpty);
    }

    private static byte[] Build(out EntryHeader header)
    {
        var first = new CommandFrame(17, new Incarnation(5), 9, [1, 2, 3]);
        var second = new CommandFrame(18, new Incarnation(6), 10, []);
        int length = first.Size + second.Size;
        byte[] entry = new byte[EntryHeader.Size + length];
        int at = EntryHeader.Size;
        at += first.Write(entry.AsSpan(at));
        second.Write(entry.AsSpan(at));
        header = new EntryHeader(EntryHeader.CurrentFormat, 1, new ShardId(3), 2, new Term(4), new LogIndex(8), 1_700_000_000_000, length);
        header.Seal(entry);
        return entry;
    }
}
