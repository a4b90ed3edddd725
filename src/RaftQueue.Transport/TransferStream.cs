using System.Buffers;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>The receiving side of one transfer connection.</summary>
internal sealed class TransferStream(PeerConnection connection, ShardId shard, int idleMs) : ITransferStream
{
    private readonly Queue<PageName[]> _questions = new();
    private string? _broken;

    public ReadOnlyMemory<byte> Info { get; private set; }

    public int Unanswered => _questions.Count;

    public async ValueTask<string?> AskAsync(ReadOnlyMemory<PageName> names, CancellationToken cancellation)
    {
        Invariant.That(names.Length is > 0 and <= TransferLimits.MaxNames, "a question is bounded");
        Invariant.That(Unanswered < TransferLimits.MaxUnanswered, "what is under way is bounded");
        if (_broken is not null) return _broken;
        int length = FrameHeader.Size + PageQuestion.SizeOf(names.Length);
        byte[] frame = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            PageQuestion.Encode(names.Span, frame.AsSpan(FrameHeader.Size, length - FrameHeader.Size));
            new FrameHeader(
                FrameKind.PageQuestion, FrameFlags.None, shard, length - FrameHeader.Size,
                connection.Mine!.Incarnation, connection.Theirs!.Incarnation).Seal(frame.AsSpan(0, length));
            using CancellationTokenSource limit = Limit(cancellation);
            await connection.WriteSealedAsync(frame.AsMemory(0, length), limit.Token);
            _questions.Enqueue(names.ToArray());
            return null;
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception) && !cancellation.IsCancellationRequested)
        {
            return _broken = exception.Message;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public async ValueTask<TransferAnswer> ReadAsync(CancellationToken cancellation)
    {
        Invariant.That(_questions.Count > 0, "an answer is read when something was asked");
        if (_broken is not null) return TransferAnswer.Break(_broken);
        try
        {
            using CancellationTokenSource limit = Limit(cancellation);
            (FrameHeader header, byte[] payload) = await connection.ReadAsync(limit.Token);
            PageName[] names = _questions.Dequeue();
            if (header.Kind == FrameKind.PageAnswer && PageAnswer.TryDecode(payload, names) is { } answer) return answer;
            return TransferAnswer.Break(_broken = "what is no answer to the question");
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception) && !cancellation.IsCancellationRequested)
        {
            return TransferAnswer.Break(_broken = exception.Message);
        }
    }

    public async ValueTask<TransferOutcome> OpenAgainAsync(LogIndex atLeast, CancellationToken cancellation)
    {
        Invariant.That(_questions.Count == 0, "another checkpoint is opened when all is answered");
        if (_broken is not null) return TransferOutcome.Unreachable;
        try
        {
            using CancellationTokenSource limit = Limit(cancellation);
            return await OpenAsync(atLeast, limit.Token);
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception) && !cancellation.IsCancellationRequested)
        {
            _broken = exception.Message;
            return TransferOutcome.Unreachable;
        }
    }

    public ValueTask DisposeAsync()
    {
        connection.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Throws what sockets throw, and <see cref="IOException"/> for what is no answer.</summary>
    public async ValueTask<TransferOutcome> OpenAsync(LogIndex atLeast, CancellationToken limit)
    {
        using var payload = new PooledBuffer();
        new TransferRequest(shard, atLeast).Encode(payload);
        await connection.WriteAsync(FrameKind.TransferRequest, payload, limit);
        (FrameHeader header, byte[] bytes) = await connection.ReadAsync(limit);
        if (header.Kind != FrameKind.TransferHead || !TransferHead.TryDecode(bytes, out TransferHead? head))
            throw new IOException("the other side does not answer as a transfer does");
        Info = head.Info;
        return head.Outcome;
    }

    private CancellationTokenSource Limit(CancellationToken cancellation)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(idleMs);
        return limit;
    }
}
