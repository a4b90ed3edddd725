using System.Buffers.Binary;

namespace RaftQueue.Transport;

/// <summary>The receiving side of one transfer.</summary>
internal sealed class TransferStream(PeerConnection connection, TransferHead head, long position, int idleMs) : ITransferStream
{
    private string? _broken;

    public ReadOnlyMemory<byte> Info => head.Info;

    public long TotalBytes => head.TotalBytes;

    public long Position { get; private set; } = position;

    public async ValueTask<TransferRead> ReadAsync(CancellationToken cancellation)
    {
        if (_broken is not null || Position == TotalBytes) return new TransferRead(Position, default, _broken);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(idleMs);
            (FrameHeader header, byte[] payload) = await connection.ReadAsync(limit.Token);
            long start = Position;
            if (!IsNext(header, payload)) return Break("chunks that do not follow each other");
            ReadOnlyMemory<byte> bytes = payload.AsMemory(TransferServer.PositionBytes);
            Position += bytes.Length;
            return new TransferRead(start, bytes, null);
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception) && !cancellation.IsCancellationRequested)
        {
            return Break(exception.Message);
        }
    }

    public ValueTask DisposeAsync()
    {
        connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private bool IsNext(in FrameHeader header, byte[] payload) =>
        header.Kind == FrameKind.TransferChunk && payload.Length > TransferServer.PositionBytes
        && BinaryPrimitives.ReadInt64LittleEndian(payload) == Position
        && payload.Length - TransferServer.PositionBytes <= TotalBytes - Position;

    private TransferRead Break(string reason)
    {
        _broken = reason;
        return new TransferRead(Position, default, reason);
    }
}
