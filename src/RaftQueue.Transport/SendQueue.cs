using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What waits to be sent on one connection, in two lanes, already encoded as frames: adding copies the payload once, and one
/// send takes all frames that wait in a lane, up to 256 KiB. The urgent lane goes first, so that an urgent message waits for
/// one chunk of bulk at most. Bounded in bytes; any number of threads add and take, one at a time sends what it took.
/// </summary>
public sealed class SendQueue(long maxBulkBytes, long maxUrgentBytes) : IDisposable
{
    private const int KeptSpares = 2;
    private readonly Lock _lock = new();
    private readonly Lane _bulk = new(maxBulkBytes);
    private readonly Lane _urgent = new(maxUrgentBytes);
    private readonly Stack<SendChunk> _spares = new();
    private SendChunk? _taken;
    private Lane? _takenFrom;
    private int _takenSent;
    private bool _sending;
    private bool _closed;
    private bool _disposed;

    /// <summary>Bytes of frames that were added and not yet sent.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_lock) return _bulk.Bytes + _urgent.Bytes;
        }
    }

    /// <summary>Nothing waits and nobody is sending.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock) return !_sending && !HasMore;
        }
    }

    private bool HasMore => _taken is not null || _urgent.Chunks.Count > 0 || _bulk.Chunks.Count > 0;

    /// <summary>
    /// Adds a message, as several fragments if it is longer than a frame. False when it is longer than
    /// <see cref="FrameHeader.MaxMessageBytes"/>, when the lane is full and after <see cref="Close"/>.
    /// </summary>
    public bool TryAdd(FrameKind kind, ShardId shard, bool urgent, Incarnation sender, Incarnation target, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > FrameHeader.MaxMessageBytes) return false;
        FrameFlags flags = urgent ? FrameFlags.Urgent : FrameFlags.None;
        lock (_lock)
        {
            Lane lane = urgent ? _urgent : _bulk;
            // The last word is always taken: it is small and there is one.
            bool full = lane.Bytes + FramedBytes(payload.Length) > lane.MaxBytes && kind != FrameKind.Goodbye;
            if (_closed || full) return false;
            if (payload.Length <= FrameHeader.MaxPayloadBytes)
            {
                AddFrame(lane, new FrameHeader(kind, flags, shard, payload.Length, sender, target), default, payload);
                return true;
            }

            Span<byte> prefix = stackalloc byte[MessageJoiner.LengthPrefix];
            BinaryPrimitives.WriteInt32LittleEndian(prefix, payload.Length);
            AddFragments(lane, new FrameHeader(kind, flags, shard, 0, sender, target), prefix, payload);
            return true;
        }
    }

    /// <summary>
    /// The next bytes to send, urgent ones first; empty when nothing waits, and while somebody else sends. They stay valid until
    /// <see cref="Sent(int)"/>, which whoever got some must call.
    /// </summary>
    public ReadOnlyMemory<byte> Take()
    {
        lock (_lock)
        {
            if (_sending) return default;
            if (_taken is null)
            {
                Lane lane = _urgent.Chunks.Count > 0 ? _urgent : _bulk;
                if (!lane.Chunks.TryDequeue(out _taken)) return default;
                if (lane.Chunks.Count == 0) lane.Tail = null;
                _takenFrom = lane;
                _takenSent = 0;
            }

            _sending = true;
            return _taken.Written[_takenSent..];
        }
    }

    /// <summary>The first <paramref name="bytes"/> of what <see cref="Take"/> gave are sent, the rest is the next to go. True when more waits.</summary>
    public bool Sent(int bytes)
    {
        lock (_lock)
        {
            Invariant.That(_sending && _taken is not null && _takenFrom is not null, "only what was taken is sent");
            _sending = false;
            _takenSent += bytes;
            Invariant.That(_takenSent <= _taken.Length, "no more is sent than was taken");
            if (_takenSent == _taken.Length)
            {
                _takenFrom.Bytes -= _taken.Length;
                Recycle(_taken);
                _taken = null;
            }

            if (_disposed) ReleaseTaken();
            return HasMore;
        }
    }

    /// <summary>Nothing more is added; what waits can still be taken.</summary>
    public void Close()
    {
        lock (_lock) _closed = true;
    }

    /// <summary>Drops what waits; what is being sent stays valid until that is over.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            _disposed = true;
            if (!_sending) ReleaseTaken();
            foreach (SendChunk chunk in _bulk.Chunks.Concat(_urgent.Chunks).Concat(_spares)) chunk.Release();
            _bulk.Empty();
            _urgent.Empty();
            _spares.Clear();
        }
    }

    private static long FramedBytes(int payload)
    {
        if (payload <= FrameHeader.MaxPayloadBytes) return FrameHeader.Size + payload;
        int frames = (payload + MessageJoiner.LengthPrefix + FrameHeader.MaxPayloadBytes - 1) / FrameHeader.MaxPayloadBytes;
        return ((long)frames * FrameHeader.Size) + MessageJoiner.LengthPrefix + payload;
    }

    private void AddFragments(Lane lane, FrameHeader header, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> payload)
    {
        FrameFlags place = FrameFlags.None;
        while (!payload.IsEmpty)
        {
            int size = Math.Min(payload.Length, FrameHeader.MaxPayloadBytes - prefix.Length);
            FrameFlags flags = header.Flags | place | (size < payload.Length ? FrameFlags.MoreFollows : FrameFlags.None);
            AddFrame(lane, header with { Flags = flags, Length = prefix.Length + size }, prefix, payload[..size]);
            payload = payload[size..];
            prefix = default;
            place = FrameFlags.Continues;
        }
    }

    private void AddFrame(Lane lane, in FrameHeader header, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> payload)
    {
        int size = FrameHeader.Size + header.Length;
        SendChunk? chunk = lane.Tail;
        if (chunk is null || !chunk.HasRoomFor(size))
        {
            if (!_spares.TryPop(out chunk)) chunk = new SendChunk();
            lane.Chunks.Enqueue(chunk);
            lane.Tail = chunk;
        }

        Span<byte> frame = chunk.Append(size);
        prefix.CopyTo(frame[FrameHeader.Size..]);
        payload.CopyTo(frame[(FrameHeader.Size + prefix.Length)..]);
        header.Seal(frame);
        lane.Bytes += size;
    }

    private void ReleaseTaken()
    {
        _taken?.Release();
        _taken = null;
    }

    private void Recycle(SendChunk chunk)
    {
        chunk.Clear();
        if (_spares.Count < KeptSpares && !_closed) _spares.Push(chunk);
        else chunk.Release();
    }

    private sealed class Lane(long maxBytes)
    {
        public long MaxBytes { get; } = maxBytes;

        public Queue<SendChunk> Chunks { get; } = new();

        /// <summary>The last of <see cref="Chunks"/>, which may still have room.</summary>
        public SendChunk? Tail { get; set; }

        public long Bytes { get; set; }

        public void Empty()
        {
            Chunks.Clear();
            Tail = null;
            Bytes = 0;
        }
    }
}
