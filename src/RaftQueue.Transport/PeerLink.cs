using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What this node knows of one other: the connection in use and the one being dialled. Callbacks for the peer are made under
/// one lock, which keeps them in order and drops frames of connections that are no longer in use.
/// Which of several connections survives: while both sides dial, the one that the higher id dialled; against one in use, none,
/// unless its caller insists, because it was told so before and still has none (the one in use is dead).
/// </summary>
internal sealed class PeerLink : IConnectionSink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TransportOptions _options;
    private readonly IPeerHandler _handler;
    private readonly CancellationTokenSource _stopping = new();
    private readonly AsyncSignal _disconnected = new();
    private volatile PeerConnection? _current;
    private volatile string _address;
    private PeerConnection? _dialling;
    private Task _dialLoop = Task.CompletedTask;
    private bool _insist;
    private bool _stopped;
    private readonly LifeCheck _lives = new();

    public PeerLink(NodeId peer, string address, TransportOptions options, IPeerHandler handler)
    {
        Peer = peer;
        _address = address;
        _options = options;
        _handler = handler;
    }

    private enum DialResult
    {
        /// <summary>A connection that lasted is gone: dialled again at once.</summary>
        Lost,
        Failed,

        /// <summary>The settings differ.</summary>
        Refused,
    }

    public NodeId Peer { get; }

    public string Address
    {
        get => _address;
        set => _address = value;
    }

    public void Start() => _dialLoop = Task.Run(DialUntilStoppedAsync);

    public void Expect(Incarnation incarnation) => _lives.Expect(incarnation);

    public bool Send(FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload)
    {
        PeerConnection? connection = _current;
        if (connection is null) return false;
        Incarnation theirs = connection.Theirs!.Incarnation;
        if (!_lives.MaySend(kind, theirs)) return false;
        return connection.TrySend(kind, shard, urgent, theirs, payload);
    }

    /// <summary>Takes an inbound connection whose handshake agrees, or says goodbye to it. Completes when it has ended.</summary>
    public async Task AcceptAsync(PeerConnection connection, HelloMessage hello, Handshake mine, CancellationToken handshakeLimit)
    {
        GoodbyeMessage? refusal = TryAdopt(connection, hello, mine);
        if (refusal is not null)
        {
            await connection.SayGoodbyeAsync(refusal, handshakeLimit);
            return;
        }

        try
        {
            using var reply = new PooledBuffer();
            mine.Encode(reply);
            await connection.WriteAsync(FrameKind.HelloReply, reply, handshakeLimit);
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception))
        {
            Closed(connection, orderly: false, exception.Message);
            return;
        }

        await connection.RunAsync(this);
    }

    public void Received(PeerConnection connection, in FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        lock (_gate)
        {
            if (_current != connection) return;
            if (header.Kind == FrameKind.BootstrapAsk) AnswerBootstrap(connection);
            else if (_lives.MayReceive(header, connection.Mine!.Incarnation)) _handler.Received(Peer, header.Kind, header.Shard, payload);
        }
    }

    public void Closed(PeerConnection connection, bool orderly, string reason)
    {
        lock (_gate)
        {
            if (_current != connection) return;
            _current = null;
            _handler.Disconnected(Peer, orderly);
        }

        _disconnected.Set();
    }

    /// <summary>Says goodbye; completes when nothing runs any more and no callback will come.</summary>
    public async Task StopAsync()
    {
        lock (_gate)
        {
            _stopped = true;
            _dialling?.Abort();
            if (_current is { } connection)
            {
                _current = null;
                connection.CloseInOrder();
                _handler.Disconnected(Peer, orderly: true);
            }
        }

        await _stopping.CancelAsync();
        _disconnected.Set();
        await _dialLoop;
    }

    public void Dispose() => _stopping.Dispose();

    private void AnswerBootstrap(PeerConnection connection)
    {
        using var payload = new PooledBuffer();
        _handler.AnswerBootstrap().Encode(payload);
        connection.TrySend(FrameKind.BootstrapAnswer, default, urgent: true, connection.Theirs!.Incarnation, payload.WrittenSpan);
    }

    /// <summary>Decides about an inbound connection; null when it is now the one in use.</summary>
    private GoodbyeMessage? TryAdopt(PeerConnection connection, HelloMessage hello, Handshake mine)
    {
        lock (_gate)
        {
            if (_stopped) return new GoodbyeMessage(GoodbyeMessage.Cause.Closing, "");
            bool oursWins = _dialling is not null && _options.Self > Peer;
            if (oursWins || (_current is not null && !hello.Insists)) return new GoodbyeMessage(GoodbyeMessage.Cause.Duplicate, "");
            if (_current is { } dead)
            {
                _current = null;
                dead.Abort();
                _handler.Disconnected(Peer, orderly: false);
            }

            _dialling?.Abort();
            _dialling = null;
            Establish(connection, mine, hello.Handshake);
            return null;
        }
    }

    private void Establish(PeerConnection connection, Handshake mine, Handshake theirs)
    {
        connection.HandshakeIsComplete(mine, theirs);
        _insist = false;
        _current = connection;
        _handler.Connected(Peer, theirs);
    }

    private async Task DialUntilStoppedAsync()
    {
        int pause = _options.MinRetryMs;
        while (!_stopping.IsCancellationRequested)
        {
            if (_current is not null)
            {
                await _disconnected.WaitAsync();
                continue;
            }

            try
            {
                DialResult result = await DialOnceAsync();
                if (result != DialResult.Failed) pause = _options.MinRetryMs;
                if (result == DialResult.Lost) continue;
                await Task.Delay(result == DialResult.Refused ? _options.RefusedRetryMs : pause, _stopping.Token);
                if (result == DialResult.Failed) pause = Math.Min(2 * pause, _options.MaxRetryMs);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                _options.OnBug(exception);
                return;
            }
        }
    }

    /// <summary>Dials, shakes hands and stays with the connection until it ends.</summary>
    private async Task<DialResult> DialOnceAsync()
    {
        PeerConnection? connection = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            connection = await Dialler.ConnectAsync(_address, _options, limit);
            bool insist;
            lock (_gate)
            {
                if (_stopped || _current is not null) return DialResult.Failed;
                _dialling = connection;
                insist = _insist;
            }

            limit.CancelAfter(_options.HandshakeTimeoutMs);
            var hello = new HelloMessage(ConnectionPurpose.Peer, insist, _handler.OurHandshake(Peer));
            HelloAnswer answer = await Dialler.ShakeHandsAsync(connection, hello, limit.Token);
            if (answer.Theirs is null) return Refused(answer);
            lock (_gate)
            {
                if (_dialling != connection || _stopped) return DialResult.Failed;
                _dialling = null;
                Establish(connection, hello.Handshake, answer.Theirs);
            }

            long started = Environment.TickCount64;
            await connection.RunAsync(this);
            return Environment.TickCount64 - started < _options.MaxRetryMs ? DialResult.Failed : DialResult.Lost;
        }
        catch (Exception exception) when (PeerConnection.IsConnectionError(exception))
        {
            return DialResult.Failed;
        }
        finally
        {
            lock (_gate)
            {
                if (_dialling == connection) _dialling = null;
            }

            connection?.Dispose();
        }
    }

    private DialResult Refused(HelloAnswer answer)
    {
        if (answer.IsDuplicate)
        {
            lock (_gate) _insist = _current is null;
            return DialResult.Failed;
        }

        if (answer.Refusal is not null) _handler.Refused(Peer, answer.Refusal);
        return answer.SettingsDiffer ? DialResult.Refused : DialResult.Failed;
    }
}
