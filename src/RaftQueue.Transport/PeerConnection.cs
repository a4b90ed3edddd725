using System.Net.Sockets;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// One socket between two nodes. First frame by frame (<see cref="WriteAsync"/>, <see cref="ReadAsync"/>: handshake and
/// transfers), then <see cref="RunAsync"/> until it breaks or is closed. Then it has two threads, so that heartbeats come through
/// however busy the thread pool is: one reads, one writes what the socket did not take at once and what is large. Small messages
/// leave on the thread that sends them. In steady state only the payloads handed to the sink are allocated.
/// </summary>
/// <remarks>
/// The runtime's asynchronous operations are kept away from the socket until then: one that had to wait registers it with the
/// runtime's engine for good, which wakes two more threads whenever something arrives.
/// </remarks>
public sealed class PeerConnection : IDisposable
{
    private const int MaxDirectBytes = 16 * 1024;
    private const int StackBytes = 1 << 20;
    private const int LongestPauseMs = 20;

    private readonly Socket _socket;
    private readonly TransportOptions _options;
    private readonly FrameParser _parser = new();
    private readonly MessageJoiner _bulk = new();
    private readonly MessageJoiner _urgent = new();
    private readonly SendQueue _queue;
    private readonly ThreadSignal _wake = new();
    private readonly CancellationTokenSource _closeTimer = new();
    private readonly Lock _closing = new();
    private Stream? _stream;
    private volatile bool _completing;
    private volatile bool _direct;
    private int _disposed;

    internal PeerConnection(Socket socket, TransportOptions options)
    {
        _socket = socket;
        _options = options;
        _queue = new SendQueue(options.MaxBulkBytes, options.MaxUrgentBytes);
    }

    /// <summary>What the other side said first; set when the handshake is complete.</summary>
    public Handshake? Theirs { get; private set; }

    /// <summary>What this side said first.</summary>
    public Handshake? Mine { get; private set; }

    /// <summary>Bytes that wait to be sent.</summary>
    public long QueuedBytes => _queue.QueuedBytes;

    internal async ValueTask OpenAsync()
    {
        _stream = await PeerStream.WrapAsync(_socket);
        _socket.Blocking = false;
    }

    /// <summary>Both handshakes are known and agree: larger frames may come.</summary>
    internal void HandshakeIsComplete(Handshake mine, Handshake theirs)
    {
        Mine = mine;
        Theirs = theirs;
        _parser.HandshakeIsComplete();
    }

    /// <summary>Sends one frame past the queue; only before <see cref="RunAsync"/>.</summary>
    internal async ValueTask WriteAsync(FrameKind kind, PooledBuffer payload, CancellationToken cancel)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        payload.WrittenSpan.CopyTo(frame.AsSpan(FrameHeader.Size));
        Incarnation sender = Mine?.Incarnation ?? default;
        Incarnation target = Theirs?.Incarnation ?? default;
        new FrameHeader(kind, FrameFlags.None, default, payload.Length, sender, target).Seal(frame);
        await _stream!.WriteAsync(frame, cancel);
    }

    /// <summary>Sends a frame that is sealed already; only before <see cref="RunAsync"/>.</summary>
    internal ValueTask WriteSealedAsync(ReadOnlyMemory<byte> frame, CancellationToken cancel) => _stream!.WriteAsync(frame, cancel);

    /// <summary>Reads one frame; only before <see cref="RunAsync"/>. Throws <see cref="IOException"/> for an end and for garbage.</summary>
    internal async ValueTask<(FrameHeader Header, byte[] Payload)> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            switch (_parser.Take(out FrameHeader header, out byte[] payload))
            {
                case FrameParser.Found.Frame: return (header, payload);
                case FrameParser.Found.Damaged: throw new IOException(_parser.Damage);
            }

            if (Theirs is null) await UntilReadableAsync(cancel);
            int count = await _stream!.ReadAsync(_parser.NextBuffer(), cancel);
            if (count == 0) throw new IOException("the other side closed");
            _parser.Advance(count);
        }
    }

    /// <summary>Says why and closes, so that what was said arrives; only before <see cref="RunAsync"/>.</summary>
    internal async ValueTask SayGoodbyeAsync(GoodbyeMessage goodbye, CancellationToken cancel)
    {
        using var payload = new PooledBuffer();
        goodbye.Encode(payload);
        await WriteAsync(FrameKind.Goodbye, payload, cancel);
        _socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Queues a message; see <see cref="IPeerNetwork.Send"/>. Any thread.</summary>
    internal bool TrySend(FrameKind kind, ShardId shard, bool urgent, Incarnation target, ReadOnlySpan<byte> payload)
    {
        if (!_queue.TryAdd(kind, shard, urgent, Mine!.Incarnation, target, payload)) return false;
        if (_direct && payload.Length <= MaxDirectBytes) SendDirectly();
        else _wake.Set();
        return true;
    }

    /// <summary>Sends what is queued, then Goodbye, then closes; all within the close timeout. Any thread; does not wait.</summary>
    internal void CloseInOrder()
    {
        using var payload = new PooledBuffer();
        new GoodbyeMessage(GoodbyeMessage.Cause.Closing, "").Encode(payload);
        _queue.TryAdd(FrameKind.Goodbye, default, urgent: false, Mine!.Incarnation, Theirs!.Incarnation, payload.WrittenSpan);
        lock (_closing)
        {
            if (_completing || _disposed != 0) return;
            _queue.Close();
            _completing = true;
            _closeTimer.CancelAfter(_options.CloseTimeoutMs);
        }

        _wake.Set();
    }

    /// <summary>Closes the socket now; the loops end. Any thread.</summary>
    internal void Abort() => _socket.Dispose();

    /// <summary>
    /// Runs both loops; completes when both have ended. The sink hears of the end as soon as the read loop sees it.
    /// Exceptions that are no IO errors come out: they are bugs.
    /// </summary>
    internal async Task RunAsync(IConnectionSink sink)
    {
        await using CancellationTokenRegistration timer = _closeTimer.Token.UnsafeRegister(static self => ((PeerConnection)self!).Abort(), this);
        Task<bool> writing = OnThreadAsync("to", WriteLoop);
        _direct = true;
        (bool orderly, string reason) = await OnThreadAsync("from", () => ReadLoop(sink));
        sink.Closed(this, orderly, reason);
        lock (_closing) _completing = true;
        Abort();
        _wake.Set();
        await writing;
    }

    public void Dispose()
    {
        lock (_closing)
        {
            if (_disposed != 0) return;
            _disposed = 1;
        }

        _closeTimer.Dispose();
        _stream?.Dispose();
        _socket.Dispose();
        _parser.Dispose();
        _queue.Dispose();
    }

    /// <summary>What sockets and streams throw when a connection ends, whoever ended it.</summary>
    internal static bool IsConnectionError(Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    private Task<T> OnThreadAsync<T>(string name, Func<T> body)
    {
        var ended = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(Run, StackBytes) { Name = $"{name} node {Theirs!.Node}", IsBackground = true };
        thread.Start();
        return ended.Task;

        void Run()
        {
            try
            {
                ended.SetResult(body());
            }
            catch (Exception exception)
            {
                ended.SetException(exception);
            }
        }
    }

    /// <summary>Looks again and again, with growing pauses: see the remarks of the class.</summary>
    private async ValueTask UntilReadableAsync(CancellationToken cancel)
    {
        for (int pauseMs = 1; !_socket.Poll(TimeSpan.Zero, SelectMode.SelectRead); pauseMs = Math.Min(pauseMs + 1, LongestPauseMs))
        {
            await Task.Delay(pauseMs, cancel);
        }
    }

    private (bool Orderly, string Reason) ReadLoop(IConnectionSink sink)
    {
        while (true)
        {
            FrameParser.Found found = _parser.Take(out FrameHeader header, out byte[] payload);
            if (found == FrameParser.Found.Damaged) return (false, _parser.Damage!);
            if (found == FrameParser.Found.Frame)
            {
                if (header.Kind == FrameKind.Goodbye) return (GoodbyeMessage.TryDecode(payload, out _), "the other side said goodbye");
                if (!TryDeliver(sink, header, payload)) return (false, "frames that do not belong together");
                continue;
            }

            int count;
            try
            {
                count = Receive(_parser.NextBuffer().Span);
            }
            catch (Exception exception) when (IsConnectionError(exception))
            {
                return (false, exception.Message);
            }

            if (count == 0) return (false, "the other side closed");
            _parser.Advance(count);
        }
    }

    /// <summary>Waits in the kernel for the next bytes; 0 at the end. <see cref="Abort"/> ends the wait.</summary>
    private int Receive(Span<byte> into)
    {
        while (true)
        {
            _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
            int count = _socket.Receive(into, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success) return count;
            if (error != SocketError.WouldBlock) throw new SocketException((int)error);
        }
    }

    private bool TryDeliver(IConnectionSink sink, in FrameHeader header, byte[] payload)
    {
        bool allowed = header.Kind is FrameKind.Raft or FrameKind.Forward or FrameKind.BootstrapAsk or FrameKind.BootstrapAnswer;
        if (!allowed || header.Sender != Theirs!.Incarnation) return false;
        MessageJoiner lane = (header.Flags & FrameFlags.Urgent) != FrameFlags.None ? _urgent : _bulk;
        if (!lane.TryAdd(header, payload, out byte[]? message)) return false;
        if (message is not null) sink.Received(this, header, message);
        return true;
    }

    /// <summary>Sends what waits as far as the socket takes it, unless somebody is sending: then that one sees what was added.</summary>
    private void SendDirectly()
    {
        ReadOnlyMemory<byte> bytes = _queue.Take();
        if (bytes.IsEmpty) return;
        if (_queue.Sent(SendNow(bytes.Span)) || _completing) _wake.Set();
    }

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        try
        {
            // An error is for the write loop to meet: it sends the rest.
            return _socket.Send(bytes, SocketFlags.None, out _);
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile; both loops find out.
            return 0;
        }
    }

    /// <summary>True when all was sent and the socket's end was told.</summary>
    private bool WriteLoop()
    {
        try
        {
            while (true)
            {
                // Before the queue is looked at: what is added afterwards comes with a wake.
                bool completing = _completing;
                ReadOnlyMemory<byte> bytes = _queue.Take();
                if (!bytes.IsEmpty)
                {
                    Write(bytes.Span);
                }
                else if (completing && _queue.IsIdle)
                {
                    _socket.Shutdown(SocketShutdown.Send);
                    return true;
                }
                else
                {
                    _wake.Wait();
                }
            }
        }
        catch (Exception exception) when (IsConnectionError(exception))
        {
            // The read loop reports the end; this makes sure that it sees one.
            Abort();
            return false;
        }
    }

    /// <summary>Sends what the socket takes of it and waits until it takes more.</summary>
    private void Write(ReadOnlySpan<byte> bytes)
    {
        int sent = 0;
        SocketError error;
        try
        {
            sent = _socket.Send(bytes, SocketFlags.None, out error);
        }
        finally
        {
            _queue.Sent(sent);
        }

        if (error == SocketError.WouldBlock) _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
        else if (error != SocketError.Success) throw new SocketException((int)error);
    }
}
