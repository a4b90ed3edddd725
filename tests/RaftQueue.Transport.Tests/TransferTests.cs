using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class TransferTests
{
    private static readonly ShardId s_shard = new(3);

    [Fact]
    public async Task ACheckpointArrivesWhole()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        var source = new Source(5_000_000, "info");
        two.Network.TransferSource = source;
        one.Start(two);
        two.Start(one);
        TransferOpening opening = await one.Network.Transfers.OpenAsync(two.Id, s_shard, new LogIndex(100), CancellationToken.None);
        Assert.True(opening.IsOpen);
        await using ITransferStream stream = opening.Stream;
        Assert.Equal("info"u8.ToArray(), stream.Info.ToArray());
        Assert.Equal(source.Bytes.Length, stream.TotalBytes);
        byte[] all = await ReadAllAsync(stream, []);
        Assert.True(all.AsSpan().SequenceEqual(source.Bytes));
        Assert.True((await stream.ReadAsync(CancellationToken.None)).IsEnd);
        Assert.Equal((s_shard, new LogIndex(100)), source.Asked);
    }

    [Fact]
    public async Task ABrokenTransferGoesOnWhereItStopped()
    {
        await using var one = new TestNode(1);
        var two = new TestNode(2);
        int port = two.Network.LocalEndPoint.Port;
        var source = new Source(20_000_000, "info");
        two.Network.TransferSource = source;
        one.Start(two);
        two.Start(one);
        var got = new List<byte>();
        TransferOpening opening = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.True(opening.IsOpen, opening.Reason);
        TransferResume resume;
        await using (ITransferStream stream = opening.Stream!)
        {
            for (int i = 0; i < 3; i++) got.AddRange((await stream.ReadAsync(CancellationToken.None)).Bytes.Span);
            await two.DisposeAsync();
            TransferRead read;
            while ((read = await stream.ReadAsync(CancellationToken.None)).Broken is null) got.AddRange(read.Bytes.Span);
            Assert.Equal(got.Count, stream.Position);
            Assert.InRange(got.Count, 1, source.Bytes.Length - 1);
            resume = stream.ResumePoint;
        }

        TransferOpening gone = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, resume, CancellationToken.None);
        Assert.Equal(TransferOutcome.Unreachable, gone.Outcome);
        Assert.NotNull(gone.Reason);

        await using var again = new TestNode(2, port: port);
        again.Network.TransferSource = source;
        again.Start(one);
        TransferOpening resumed = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, resume, CancellationToken.None);
        await using (ITransferStream stream = resumed.Stream!)
        {
            Assert.Equal(got.Count, stream.Position);
            byte[] all = await ReadAllAsync(stream, got);
            Assert.True(all.AsSpan().SequenceEqual(source.Bytes));
        }

        again.Network.TransferSource = new Source(20_000_001, "newer") { Older = source };
        TransferOpening older = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, resume, CancellationToken.None);
        Assert.True(older.IsOpen);
        await older.Stream.DisposeAsync();

        again.Network.TransferSource = new Source(20_000_000, "another");
        TransferOpening changed = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, resume, CancellationToken.None);
        Assert.Equal(TransferOutcome.Changed, changed.Outcome);
    }

    [Fact]
    public async Task WhatCannotBeFetchedIsAnOutcome()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        two.Start(one);
        TransferOpening none = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.NotAvailable, none.Outcome);
        TransferOpening stranger = await one.Network.Transfers.OpenAsync(new NodeId(9), s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.Unreachable, stranger.Outcome);
        one.Network.ExpectIncarnation(two.Id, new Incarnation(1));
        TransferOpening wiped = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.Refused, wiped.Outcome);
        await using var other = new TestNode(3, mine => mine with { ClusterId = "d" });
        other.Start(two);
        TransferOpening refused = await other.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal((TransferOutcome.Refused, "ClusterId is d here and c on node 2"), (refused.Outcome, refused.Reason));
    }

    [Fact]
    public async Task ASourceThatGivesUpBreaksTheTransferOff()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        two.Network.TransferSource = new Source(1_000_000, "info") { EndsAt = 300_000 };
        one.Start(two);
        two.Start(one);
        TransferOpening opening = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        await using ITransferStream stream = opening.Stream!;
        TransferRead read;
        while ((read = await stream.ReadAsync(CancellationToken.None)).Broken is null) Assert.False(read.IsEnd);
        Assert.Equal(300_000, stream.Position);
    }

    [Fact]
    public async Task AnEmptyCheckpointEndsAtOnce()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        two.Network.TransferSource = new Source(0, "");
        one.Start(two);
        two.Start(one);
        TransferOpening opening = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        await using ITransferStream stream = opening.Stream!;
        Assert.True((await stream.ReadAsync(CancellationToken.None)).IsEnd);
    }

    private static async Task<byte[]> ReadAllAsync(ITransferStream stream, List<byte> got)
    {
        while (true)
        {
            TransferRead read = await stream.ReadAsync(CancellationToken.None);
            Assert.Null(read.Broken);
            if (read.IsEnd) return [.. got];
            Assert.Equal(got.Count, read.Position);
            got.AddRange(read.Bytes.Span);
        }
    }

    private sealed class Source : ITransferSource
    {
        private readonly byte[] _info;

        public Source(int size, string info)
        {
            Bytes = new byte[size];
            new Random(size).NextBytes(Bytes);
            _info = System.Text.Encoding.UTF8.GetBytes(info);
        }

        public byte[] Bytes { get; }

        public (ShardId Shard, LogIndex AtLeast) Asked { get; private set; }

        /// <summary>From here on nothing can be read.</summary>
        public long EndsAt { get; init; } = long.MaxValue;

        /// <summary>A checkpoint that is still kept beside this one.</summary>
        public Source? Older { get; init; }

        public ITransferReader? OpenAgain(ShardId shard, ReadOnlyMemory<byte> info) =>
            Older is not null && info.Span.SequenceEqual(Older._info) ? new Reader(Older) : null;

        public ITransferReader Open(ShardId shard, LogIndex atLeast)
        {
            Asked = (shard, atLeast);
            return new Reader(this);
        }

        private sealed class Reader(Source source) : ITransferReader
        {
            public ReadOnlyMemory<byte> InfoBytes => source._info;

            public long TotalBytes => source.Bytes.Length;

            public int Read(long position, Span<byte> into)
            {
                int count = (int)Math.Min(into.Length, Math.Min(source.EndsAt, TotalBytes) - position);
                source.Bytes.AsSpan((int)position, Math.Max(0, count)).CopyTo(into);
                return count;
            }

            public void Dispose()
            {
            }
        }
    }
}
