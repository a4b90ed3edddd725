using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Dials a peer's port for one transfer, with the same handshake as any connection.</summary>
/// <param name="find">Address and expected incarnation (0 = any) of a member, null when it is none.</param>
internal sealed class TransferClient(
    TransportOptions options, Func<NodeId, (string Address, Incarnation Expected)?> find, Func<NodeId, Handshake> ourHandshake) : ITransferClient
{
    public async Task<TransferOpening> OpenAsync(NodeId from, ShardId shard, LogIndex atLeast, CancellationToken cancellation)
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
            var stream = new TransferStream(connection, shard, options.TransferIdleMs);
            TransferOutcome outcome = await stream.OpenAsync(atLeast, limit.Token);
            if (outcome != TransferOutcome.Opened) return new TransferOpening(outcome, null, $"node {from}: {outcome}");
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
}
