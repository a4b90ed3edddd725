using System.Net;
using System.Net.Sockets;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Listens, bounds the number of inbound connections, shakes hands and passes each connection to who it is for.</summary>
internal sealed class InboundDoor : IDisposable
{
    private const int PauseAfterAcceptErrorMs = 100;
    private readonly Socket _listener;
    private readonly TransportOptions _options;
    private readonly TransferBudget _budget;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<PeerConnection, Task> _inside = [];
    private Task _accepting = Task.CompletedTask;

    /// <summary>Binds at once; throws <see cref="SocketException"/> when the address cannot be had.</summary>
    public InboundDoor(TransportOptions options)
    {
        _options = options;
        _budget = new TransferBudget(options.TransferBytesPerSecond);
        IPEndPoint endPoint = HostAndPort.ToListen(options.ListenAddress);
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(endPoint);
            _listener.Listen(options.MaxInboundConnections);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
    }

    public IPEndPoint LocalEndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    public int OpenConnections
    {
        get
        {
            lock (_lock) return _inside.Count;
        }
    }

    public void Start(IPeerHandler handler, Func<NodeId, PeerLink?> find, Func<ITransferSource?> source) =>
        _accepting = Task.Run(() => AcceptAsync(handler, find, source));

    /// <summary>No more connections; those inside that belong to no peer link end. Completes when nothing runs any more.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] inside;
        lock (_lock) inside = [.. _inside.Values];
        await Task.WhenAll(inside);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync(IPeerHandler handler, Func<NodeId, PeerLink?> find, Func<ITransferSource?> source)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stopping.Token);
                Enter(socket, handler, find, source);
            }
            catch (Exception exception) when (PeerConnection.IsConnectionError(exception))
            {
                if (_stopping.IsCancellationRequested) return;
                handler.Refused(null, $"accept failed: {exception.Message}");
                await Task.Delay(PauseAfterAcceptErrorMs);
            }
            catch (Exception exception)
            {
                _options.OnBug(exception);
                return;
            }
        }
    }

    private void Enter(Socket socket, IPeerHandler handler, Func<NodeId, PeerLink?> find, Func<ITransferSource?> source)
    {
        var connection = new PeerConnection(socket, _options);
        bool full;
        lock (_lock)
        {
            full = _inside.Count >= _options.MaxInboundConnections;
            if (!full) _inside[connection] = Task.Run(() => HandleAsync(connection, socket, handler, find, source));
        }

        if (!full) return;
        string caller = NameOf(socket);
        connection.Dispose();
        handler.Refused(null, $"{caller}: {_options.MaxInboundConnections} inbound connections are open already");
    }

    private async Task HandleAsync(
        PeerConnection connection, Socket socket, IPeerHandler handler, Func<NodeId, PeerLink?> find, Func<ITransferSource?> source)
    {
        string caller = NameOf(socket);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(_options.HandshakeTimeoutMs);
            if (await ReadHelloAsync(connection, caller, handler, limit.Token) is not { } hello) return;
            Handshake mine = handler.OurHandshake(hello.Handshake.Node);
            if (!await JudgeAsync(connection, hello.Handshake, mine, handler, limit.Token)) return;
            PeerLink? link = find(hello.Handshake.Node);
            if (link is null) await RefuseStrangerAsync(connection, hello.Handshake.Node, handler, limit.Token);
            else if (hello.Purpose == ConnectionPurpose.Peer) await link.AcceptAsync(connection, hello, mine, limit.Token);
            else await TransferAsync(connection, mine, hello.Handshake, source(), limit.Token);
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception))
        {
            // It ended before anybody had heard of it, or a transfer that its receiver resumes.
        }
        catch (Exception exception)
        {
            _options.OnBug(exception);
        }
        finally
        {
            connection.Dispose();
            lock (_lock) _inside.Remove(connection);
        }
    }

    private async Task<HelloMessage?> ReadHelloAsync(PeerConnection connection, string caller, IPeerHandler handler, CancellationToken limit)
    {
        try
        {
            await connection.OpenAsync();
            (FrameHeader header, byte[] payload) = await connection.ReadAsync(limit);
            if (header.Kind == FrameKind.Hello && HelloMessage.TryDecode(payload, out HelloMessage? hello)) return hello;
            handler.Refused(null, $"{caller}: not a hello");
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            handler.Refused(null, $"{caller}: no hello within {_options.HandshakeTimeoutMs} ms");
        }
        catch (IOException exception)
        {
            handler.Refused(null, $"{caller}: {exception.Message}");
        }

        return null;
    }

    /// <summary>Refuses a peer whose settings differ: it gets our handshake, so that it can name the difference as well.</summary>
    private static async Task<bool> JudgeAsync(
        PeerConnection connection, Handshake theirs, Handshake mine, IPeerHandler handler, CancellationToken limit)
    {
        string? difference = Handshake.Compare(mine, theirs);
        if (difference is null) return true;
        handler.Refused(theirs.Node, difference);
        using var reply = new PooledBuffer();
        mine.Encode(reply);
        await connection.WriteAsync(FrameKind.HelloReply, reply, limit);
        return false;
    }

    private async Task RefuseStrangerAsync(PeerConnection connection, NodeId node, IPeerHandler handler, CancellationToken limit)
    {
        string reason = $"node {node} is not a member on node {_options.Self}";
        handler.Refused(node, reason);
        await connection.SayGoodbyeAsync(new GoodbyeMessage(GoodbyeMessage.Cause.Refused, reason), limit);
    }

    private async Task TransferAsync(
        PeerConnection connection, Handshake mine, Handshake theirs, ITransferSource? source, CancellationToken limit)
    {
        connection.HandshakeIsComplete(mine, theirs);
        using (var reply = new PooledBuffer())
        {
            mine.Encode(reply);
            await connection.WriteAsync(FrameKind.HelloReply, reply, limit);
        }

        await TransferServer.ServeAsync(connection, source, _options, _budget, _stopping.Token);
    }

    private static string NameOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() ?? "unknown";
        }
        catch (SocketException)
        {
            return "gone";
        }
    }
}
