using System.Buffers.Binary;
using RaftQueue.Checkers;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>
/// One fetch of a checkpoint over a connection of its own, in virtual time. Request, head and chunks pass through the transport's
/// codec; the faults of the path break it, let it stand still, or change a bit in what the sender read.
/// </summary>
internal sealed class SimulatedTransfer(SimulatedNetwork network, SimulatedPeer receiver, NodeId from) : ITransferStream
{
    private const long IdleMicroseconds = 30_000_000;
    private const long WaitMicroseconds = 100_000;
    private const long BytesPerMs = 50_000;

    private TransferHead? _head;
    private ITransferReader? _reader;
    private SimulatedPeer? _sender;
    private string? _broken;

    public ReadOnlyMemory<byte> Info => _head!.Info;

    public long TotalBytes => _head!.TotalBytes;

    public long Position { get; private set; }

    private NetworkPath Path => network.Path(from, receiver.Id);

    public Task<TransferOpening> OpenAsync(TransferRequest request, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource<TransferOpening>();
        cancellation.Register(() => done.TrySetCanceled(cancellation));
        After(Path.Random.NextBelow(5_000), Open, IdleMicroseconds);
        return done.Task;

        void Open(bool reached)
        {
            if (done.Task.IsCompleted) return;
            done.TrySetResult(reached ? Ask(ThroughCodec(request)) : new TransferOpening(TransferOutcome.Unreachable, null, "no answer"));
        }
    }

    public ValueTask<TransferRead> ReadAsync(CancellationToken cancellation)
    {
        if (_broken is not null || Position == TotalBytes) return ValueTask.FromResult(new TransferRead(Position, default, _broken));
        var done = new TaskCompletionSource<TransferRead>();
        cancellation.Register(() => done.TrySetCanceled(cancellation));
        int length = (int)Math.Min(TransferLimits.MaxChunkBytes, TotalBytes - Position);
        After(length * 1000L / BytesPerMs, Read, IdleMicroseconds);
        return new ValueTask<TransferRead>(done.Task);

        void Read(bool reached)
        {
            if (done.Task.IsCompleted) return;
            done.TrySetResult(reached ? NextChunk(length) : Break("nothing came"));
        }
    }

    public ValueTask DisposeAsync()
    {
        _reader?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Calls back when bytes get through, at the earliest after a while, or with false when they did not for too long.</summary>
    private void After(long microseconds, Action<bool> then, long patience)
    {
        network.At(network.NowMicroseconds + microseconds, () =>
        {
            // A process that is gone waits for nothing.
            if (receiver.IsGone) return;
            long held = Math.Max(network.PausedUntil(receiver.Id), Math.Max(Path.CloggedUntil, network.PausedUntil(from)));
            bool stands = Path.IsCut || network.Path(receiver.Id, from).IsCut;
            if (held <= network.NowMicroseconds && !stands) then(true);
            else if (patience <= 0 && network.PausedUntil(receiver.Id) <= network.NowMicroseconds) then(false);
            else After(WaitMicroseconds, then, patience - WaitMicroseconds);
        });
    }

    private TransferOpening Ask(TransferRequest request)
    {
        _sender = network.Find(from);
        if (_sender?.Handler is null) return new TransferOpening(TransferOutcome.Unreachable, null, "nobody listens");
        _reader = TransferServer.Open(_sender.Source, request);
        _head = ThroughCodec(TransferServer.Answer(request, _reader));
        if (_head.Outcome != TransferOutcome.Opened)
        {
            _reader?.Dispose();
            return new TransferOpening(_head.Outcome, null, "none");
        }

        Position = request.Resume?.Position ?? 0;
        return new TransferOpening(TransferOutcome.Opened, this, null);
    }

    private TransferRead NextChunk(int length)
    {
        if (_sender!.IsGone) return Break("the other side is gone");
        if (Path.BreaksTransfers) return Break("the connection broke");
        byte[] frame = new byte[FrameHeader.Size + TransferServer.PositionBytes + length];
        int contentAt = FrameHeader.Size + TransferServer.PositionBytes;
        int count = _reader!.Read(Position, frame.AsSpan(contentAt));
        if (count <= 0) return Break("the checkpoint cannot be read any more");
        if (Path.SpoilsTransfers) frame[contentAt + Path.Random.NextBelow(count)] ^= (byte)(1 << (int)Path.Random.NextBelow(8));
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameHeader.Size), Position);
        Span<byte> whole = frame.AsSpan(0, contentAt + count);
        new FrameHeader(FrameKind.TransferChunk, FrameFlags.None, default, TransferServer.PositionBytes + count, default, default).Seal(whole);
        byte[] payload = Parse(whole);
        long start = Position;
        Position += count;
        return new TransferRead(start, payload.AsMemory(TransferServer.PositionBytes), null);
    }

    private byte[] Parse(ReadOnlySpan<byte> frame)
    {
        using var parser = new FrameParser();
        parser.HandshakeIsComplete();
        byte[] payload;
        while (parser.Take(out _, out payload) == FrameParser.Found.NeedsMore)
        {
            Memory<byte> room = parser.NextBuffer();
            int part = Math.Min(room.Length, frame.Length);
            Require.That(part > 0, $"P10: a chunk that node {from} sent can be parsed");
            frame[..part].CopyTo(room.Span);
            parser.Advance(part);
            frame = frame[part..];
        }

        Require.That(parser.Damage is null, $"P10: a chunk that node {from} sent can be parsed: {parser.Damage}");
        return payload;
    }

    private TransferRead Break(string reason)
    {
        _broken = reason;
        return new TransferRead(Position, default, reason);
    }

    private static TransferRequest ThroughCodec(TransferRequest said)
    {
        using var buffer = new PooledBuffer();
        said.Encode(buffer);
        Require.Readable(TransferRequest.TryDecode(buffer.WrittenSpan, out TransferRequest? heard));
        return heard;
    }

    private static TransferHead ThroughCodec(TransferHead said)
    {
        using var buffer = new PooledBuffer();
        said.Encode(buffer);
        Require.Readable(TransferHead.TryDecode(buffer.WrittenSpan, out TransferHead? heard));
        return heard;
    }
}
