using System.Buffers;
using System.Buffers.Binary;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// The sending side of a transfer connection: request, head, chunks, until the caller closes. A chunk is its position (i64,
/// little endian) and the bytes from there; the frame's checksum covers both. TCP holds back a sender whose receiver is slow.
/// </summary>
internal static class TransferServer
{
    /// <summary>Bytes in front of a chunk's content.</summary>
    public const int PositionBytes = sizeof(long);

    /// <summary>Serves one connection until it ends; throws what sockets throw.</summary>
    public static async Task ServeAsync(
        PeerConnection connection, ITransferSource? source, TransportOptions options, CancellationToken stopping)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        while (true)
        {
            idle.CancelAfter(options.TransferIdleMs);
            (FrameHeader header, byte[] payload) = await connection.ReadAsync(idle.Token);
            if (header.Kind != FrameKind.TransferRequest || !TransferRequest.TryDecode(payload, out TransferRequest? request))
                throw new IOException("not a transfer request");
            using ITransferReader? reader = Open(source, request);
            TransferHead head = Answer(request, reader);
            using (var encoded = new PooledBuffer())
            {
                head.Encode(encoded);
                await connection.WriteAsync(FrameKind.TransferChunk, encoded, idle.Token);
            }

            if (head.Outcome == TransferOutcome.Opened)
                await SendAsync(connection, reader!, request.Resume?.Position ?? 0, idle, options.TransferIdleMs);
        }
    }

    /// <summary>The checkpoint that a request asks for, or null when there is none.</summary>
    internal static ITransferReader? Open(ITransferSource? source, TransferRequest request)
    {
        ITransferReader? again = request.Resume is { } resume ? source?.OpenAgain(request.Shard, resume.Info) : null;
        return again ?? source?.Open(request.Shard, request.AtLeast);
    }

    /// <summary>What is said about it.</summary>
    internal static TransferHead Answer(TransferRequest request, ITransferReader? reader)
    {
        if (reader is null) return new TransferHead(TransferOutcome.NotAvailable, 0, default);
        Invariant.That(reader.InfoBytes.Length <= TransferLimits.MaxInfoBytes, "a checkpoint's info is bounded");
        bool same = request.Resume is null
            || (request.Resume.TotalBytes == reader.TotalBytes && request.Resume.Info.Span.SequenceEqual(reader.InfoBytes.Span));
        return same
            ? new TransferHead(TransferOutcome.Opened, reader.TotalBytes, reader.InfoBytes)
            : new TransferHead(TransferOutcome.Changed, 0, default);
    }

    private static async Task SendAsync(
        PeerConnection connection, ITransferReader reader, long position, CancellationTokenSource idle, int idleMs)
    {
        const int contentAt = FrameHeader.Size + PositionBytes;
        byte[] frame = ArrayPool<byte>.Shared.Rent(contentAt + TransferLimits.MaxChunkBytes);
        try
        {
            while (position < reader.TotalBytes)
            {
                int wanted = (int)Math.Min(TransferLimits.MaxChunkBytes, reader.TotalBytes - position);
                int count = reader.Read(position, frame.AsSpan(contentAt, wanted));
                if (count <= 0) throw new IOException("the checkpoint cannot be read any more");
                BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameHeader.Size), position);
                new FrameHeader(
                    FrameKind.TransferChunk, FrameFlags.None, default, PositionBytes + count,
                    connection.Mine!.Incarnation, connection.Theirs!.Incarnation).Seal(frame.AsSpan(0, contentAt + count));
                idle.CancelAfter(idleMs);
                await connection.WriteSealedAsync(frame.AsMemory(0, contentAt + count), idle.Token);
                position += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }
}
