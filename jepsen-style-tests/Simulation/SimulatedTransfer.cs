using RaftQueue.Checkers;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>
/// One transfer connection in virtual time. Requests, heads, questions and answers pass through the transport's codec; the faults
/// of the path break it, let it stand still, or change a bit in what the sender read. Meanwhile either end may die or write its
/// next checkpoint.
/// </summary>
internal sealed class SimulatedTransfer(SimulatedNetwork network, SimulatedPeer receiver, NodeId from, ShardId shard) : ITransferStream
{
    private const long IdleMicroseconds = 10_000_000;
    private const long WaitMicroseconds = 100_000;
    private const long MostBytesPerMs = 50_000;

    private readonly Queue<Task<TransferAnswer>> _answers = new();
    private TransferHead? _head;
    private ITransferReader? _reader;
    private SimulatedPeer? _sender;
    private string? _broken;
    private long _busyUntil;

    public ReadOnlyMemory<byte> Info => _head!.Info;

    public int Unanswered => _answers.Count;

    private long BytesPerMs => network.Weather.TransferBytesPerMs is > 0 and var slow && !Path.IsCalm ? slow : MostBytesPerMs;

    private NetworkPath Path => network.Path(from, receiver.Id);

    public async ValueTask<TransferOutcome> OpenAgainAsync(LogIndex atLeast, CancellationToken cancellation)
    {
        long pause = network.TransferMicroseconds + Path.Random.NextBelow(5_000);
        return await Later(pause, () => Open(atLeast), TransferOutcome.Unreachable, cancellation).ConfigureAwait(false);
    }

    public ValueTask<string?> AskAsync(ReadOnlyMemory<PageName> names, CancellationToken cancellation)
    {
        if (_broken is not null) return ValueTask.FromResult<string?>(_broken);
        PageName[] asked = ThroughCodec(names.Span);
        long bytes = 0;
        foreach (PageName name in asked) bytes += name.ContentBytes;
        _busyUntil = Math.Max(network.NowMicroseconds + network.TransferMicroseconds, _busyUntil) + (bytes * 1000 / BytesPerMs);
        TransferAnswer nothing = TransferAnswer.Break("nothing came");
        _answers.Enqueue(Later(_busyUntil - network.NowMicroseconds, () => Read(asked), nothing, cancellation));
        return ValueTask.FromResult<string?>(null);
    }

    public async ValueTask<TransferAnswer> ReadAsync(CancellationToken cancellation)
    {
        TransferAnswer answer = await _answers.Dequeue().ConfigureAwait(false);
        _broken ??= answer.Broken;
        return _broken is null ? answer : TransferAnswer.Break(_broken);
    }

    public ValueTask DisposeAsync()
    {
        _broken ??= "closed";
        _reader?.Dispose();
        _reader = null;
        return ValueTask.CompletedTask;
    }

    /// <summary>Done when bytes get through, at the earliest after a while, or with <paramref name="nothing"/> when they did not for too long.</summary>
    private Task<T> Later<T>(long microseconds, Func<T> work, T nothing, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource<T>();
        cancellation.Register(() => done.TrySetCanceled(cancellation));
        After(microseconds, Run, IdleMicroseconds);
        return done.Task;

        void Run(bool reached)
        {
            if (!done.Task.IsCompleted) done.TrySetResult(reached ? work() : nothing);
        }
    }

    private void After(long microseconds, Action<bool> then, long patience)
    {
        network.At(network.NowMicroseconds + microseconds, () =>
        {
            // A process that is gone waits for nothing.
            if (receiver.IsGone) return;
            long held = Math.Max(network.PausedUntil(receiver.Id), Math.Max(Path.CloggedUntil, network.PausedUntil(from)));
            bool stands = Path.IsCut || network.Path(receiver.Id, from).IsCut || _sender is { IsSilent: true };
            if (held <= network.NowMicroseconds && !stands) then(true);
            else if (patience <= 0 && network.PausedUntil(receiver.Id) <= network.NowMicroseconds) then(false);
            else After(WaitMicroseconds, then, patience - WaitMicroseconds);
        });
    }

    private TransferOutcome Open(LogIndex atLeast)
    {
        _sender ??= network.Find(from);
        if (_sender?.Handler is null || _sender.IsGone || _broken is not null) return TransferOutcome.Unreachable;
        TransferRequest request = ThroughCodec(new TransferRequest(shard, atLeast));
        _reader?.Dispose();
        _reader = _sender.Source.Open(request.Shard, request.AtLeast);
        _head = ThroughCodec(TransferServer.Answer(_reader));
        return _head.Outcome;
    }

    private TransferAnswer Read(PageName[] names)
    {
        network.BeforeTransferAnswer?.Invoke(from);
        if (_broken is not null) return TransferAnswer.Break(_broken);
        if (_sender!.IsGone) return TransferAnswer.Break("the other side is gone");
        if (Path.BreaksTransfers) return TransferAnswer.Break("the connection broke");
        byte[] frame = new byte[FrameHeader.Size + PageAnswer.MaxBytes];
        int length = PageAnswer.Encode(_reader!, names, frame.AsSpan(FrameHeader.Size));
        int contentAt = FrameHeader.Size + 1 + names.Length;
        int contents = FrameHeader.Size + length - contentAt;
        network.TransferBytes += Math.Max(0, contents);
        if (Path.SpoilsTransfers && contents > 0) frame[contentAt + Path.Random.NextBelow(contents)] ^= (byte)(1 << (int)Path.Random.NextBelow(8));
        Span<byte> whole = frame.AsSpan(0, FrameHeader.Size + length);
        new FrameHeader(FrameKind.PageAnswer, FrameFlags.None, default, length, default, default).Seal(whole);
        TransferAnswer? answer = PageAnswer.TryDecode(Parse(whole), names);
        Require.That(answer is not null, $"P10: an answer that node {from} sent can be read");
        // A checkpoint that is open has all that its table names, unless its disk was damaged.
        bool lacks = !answer.IsGone && answer.Found.Contains(false);
        if (lacks) network.PageLacking?.Invoke(from);
        return answer;
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
            Require.That(part > 0, $"P10: an answer that node {from} sent can be parsed");
            frame[..part].CopyTo(room.Span);
            parser.Advance(part);
            frame = frame[part..];
        }

        Require.That(parser.Damage is null, $"P10: an answer that node {from} sent can be parsed: {parser.Damage}");
        return payload;
    }

    private static PageName[] ThroughCodec(ReadOnlySpan<PageName> said)
    {
        byte[] bytes = new byte[PageQuestion.SizeOf(said.Length)];
        PageQuestion.Encode(said, bytes);
        Require.Readable(PageQuestion.TryDecode(bytes, out PageName[]? heard));
        return heard;
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
