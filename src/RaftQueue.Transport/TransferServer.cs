using System.Buffers;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// The sending side of a transfer connection: opens checkpoints and answers questions in order until the caller closes. TCP holds
/// back a sender whose receiver is slow, and <see cref="TransferBudget"/> one that is fast.
/// </summary>
internal static class TransferServer
{
    /// <summary>Serves one connection until it ends; throws what sockets throw.</summary>
    public static async Task ServeAsync(
        PeerConnection connection, ITransferSource? source, TransportOptions options, TransferBudget budget, CancellationToken stopping)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        ITransferReader? reader = null;
        byte[] frame = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + PageAnswer.MaxBytes);
        try
        {
            while (true)
            {
                idle.CancelAfter(options.TransferIdleMs);
                (FrameHeader header, byte[] payload) = await connection.ReadAsync(idle.Token);
                if (header.Kind == FrameKind.TransferRequest && TransferRequest.TryDecode(payload, out TransferRequest? request))
                {
                    reader?.Dispose();
                    reader = source?.Open(request.Shard, request.AtLeast);
                    await AnswerAsync(connection, reader, idle.Token);
                    continue;
                }

                if (header.Kind != FrameKind.PageQuestion || reader is null || !PageQuestion.TryDecode(payload, out PageName[]? names))
                {
                    throw new IOException("not what a transfer asks");
                }

                int length = PageAnswer.Encode(reader, names, frame.AsSpan(FrameHeader.Size));
                new FrameHeader(
                    FrameKind.PageAnswer, FrameFlags.None, default, length, connection.Mine!.Incarnation, connection.Theirs!.Incarnation)
                    .Seal(frame.AsSpan(0, FrameHeader.Size + length));
                idle.CancelAfter(options.TransferIdleMs);
                await connection.WriteSealedAsync(frame.AsMemory(0, FrameHeader.Size + length), idle.Token);
                await budget.TakeAsync(length, idle.Token);
            }
        }
        finally
        {
            reader?.Dispose();
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    /// <summary>What is said about the checkpoint that a request opened, null for none.</summary>
    internal static TransferHead Answer(ITransferReader? reader)
    {
        Invariant.That(reader is null || reader.InfoBytes.Length <= TransferLimits.MaxInfoBytes, "a checkpoint's info is bounded");
        return reader is null
            ? new TransferHead(TransferOutcome.NotAvailable, default)
            : new TransferHead(TransferOutcome.Opened, reader.InfoBytes);
    }

    private static async Task AnswerAsync(PeerConnection connection, ITransferReader? reader, CancellationToken idle)
    {
        using var encoded = new PooledBuffer();
        Answer(reader).Encode(encoded);
        await connection.WriteAsync(FrameKind.TransferHead, encoded, idle);
    }
}
