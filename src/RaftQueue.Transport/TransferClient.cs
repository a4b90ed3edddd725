using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Dials a peer's port for one transfer, with the same handshake as any connection.</summary>
/// <param name="find">Address and expected incarnation (0 = any) of a member, null when it is none.</param>
internal sealed class TransferClient(
    TransportOptions options, Func<NodeId, (string Address, Incarnation Expected)?> find, Func<NodeId, Handshake> ourHandshake) : ITransferClient
{
    public async Task<TransferOpening> OpenAsync(
        NodeId from, ShardId shard, LogIndex atLeast, TransferResume? resume, CancellationToken cancellation)
    {
        if (find(from) is not { } peer) return new TransferOpening(TransferOutcome.Unreachable, null, $"node {from} is not a member");
        PeerConnection? connection = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            connection = await Dialler.ConnectAsync(peer.Address, options, limit);
            limit.CancelAfter(options.HandshakeTimeoutMs);
            if (await ShakeHandsAsync(connection, from, peer.Expected, limit.Token) is { } refused) return refused;
            limit.CancelAfter(options.TransferIdleMs);
            TransferHead head = await AskAsync(connection, new TransferRequest(shard, atLeast, resume), limit.Token);
            if (head.Outcome != TransferOutcome.Opened) return new TransferOpening(head.Outcome, null, $"node {from}: {head.Outcome}");
            var stream = new TransferStream(connection, head, resume?.Position ?? 0, options.TransferIdleMs);
            connection = null;
            return new TransferOpening(TransferOutcome.Opened, stream, null);
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception) && !cancellation.IsCancellationRequested)
        {
            return new TransferOpening(TransferOutcome.Unreachable, null, exception.Message);
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private async Task<TransferOpening?> ShakeHandsAsync(
        PeerConnection connection, NodeId from, Incarnation expected, CancellationToken limit)
    {
        var hello = new HelloMessage(ConnectionPurpose.Transfer, false, ourHandshake(from));
        HelloAnswer answer = await Dialler.ShakeHandsAsync(connection, hello, limit);
        if (answer.Theirs is null) return new TransferOpening(TransferOutcome.Refused, null, answer.Refusal ?? "the other side closes");
        if (!expected.IsNone && answer.Theirs.Incarnation != expected)
            return new TransferOpening(TransferOutcome.Refused, null, $"node {from} is another incarnation, {answer.Theirs.Incarnation}");
        connection.HandshakeIsComplete(hello.Handshake, answer.Theirs);
        return null;
    }

    private static async Task<TransferHead> AskAsync(PeerConnection connection, TransferRequest request, CancellationToken limit)
    {
        using var payload = new PooledBuffer();
        request.Encode(payload);
        await connection.WriteAsync(FrameKind.TransferRequest, payload, limit);
        (FrameHeader header, byte[] bytes) = await connection.ReadAsync(limit);
        if (header.Kind != FrameKind.TransferChunk || !TransferHead.TryDecode(bytes, out TransferHead? head))
            throw new IOException("the other side does not answer as a transfer does");
        if (request.Resume is { } resume && head.Outcome == TransferOutcome.Opened && head.TotalBytes != resume.TotalBytes)
            throw new IOException("the other side goes on with another checkpoint");
        return head;
    }
}
