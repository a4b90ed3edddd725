using System.Buffers;
using RaftQueue.Checkers;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>
/// The bytes of one direction of one connection, through the real queue, parser and joiner: what is sent becomes frames in lanes,
/// chunks of them travel, arrive in pieces of any size, and become messages again.
/// </summary>
internal sealed class SimulatedStream : IDisposable
{
    private readonly SimulatedConnection _connection;
    private readonly SendQueue _queue;
    private readonly FrameParser _parser = new();
    private readonly MessageJoiner _bulk = new();
    private readonly MessageJoiner _urgent = new();

    public SimulatedStream(SimulatedConnection connection, NetworkPath path, Handshake sender, Handshake receiver, TransportOptions options)
    {
        _connection = connection;
        Path = path;
        Sender = sender;
        Receiver = receiver;
        _queue = new SendQueue(options.MaxBulkBytes, options.MaxUrgentBytes);
        _parser.HandshakeIsComplete();
    }

    public NetworkPath Path { get; }

    public Handshake Sender { get; }

    public Handshake Receiver { get; }

    public bool IsOpen => _connection.IsOpen;

    /// <summary>What arrives comes to nothing.</summary>
    public bool IsDeadEnd => _connection.DeadEnd == Path.To;

    /// <summary>The next chunk leaves no earlier.</summary>
    public long SendingUntil { get; set; }

    /// <summary>When the last chunk so far arrives: none overtakes it.</summary>
    public long LastArrival { get; set; }

    /// <summary>What was sent and has not arrived, in order.</summary>
    public Queue<TravellingBytes> Travelling { get; } = new();

    /// <summary>How many chunks of these have come to a receiver that does not take them yet.</summary>
    public int Held { get; set; }

    public bool HasWaiting => _queue.QueuedBytes > 0;

    public bool TryAdd(FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload) =>
        _queue.TryAdd(kind, shard, urgent, Sender.Incarnation, Receiver.Incarnation, payload);

    /// <summary>The next bytes to travel, in a pooled array; length 0 when nothing waits.</summary>
    public (byte[] Bytes, int Length) TakeChunk()
    {
        ReadOnlyMemory<byte> taken = _queue.Take();
        if (taken.IsEmpty) return ([], 0);
        byte[] copy = ArrayPool<byte>.Shared.Rent(taken.Length);
        taken.CopyTo(copy);
        _queue.Sent(taken.Length);
        return (copy, taken.Length);
    }

    /// <summary>Bytes arrive; every message that they complete is handed to the receiver.</summary>
    public void Arrive(in TravellingBytes arrived, SimulatedPeer receiver)
    {
        Parse(arrived.Array.AsSpan(arrived.Start, arrived.Length), receiver);
        if (arrived.Start + arrived.Length == arrived.Whole) ArrayPool<byte>.Shared.Return(arrived.Array);
    }

    public void Dispose()
    {
        _parser.Dispose();
        _queue.Dispose();
    }

    private void Parse(ReadOnlySpan<byte> bytes, SimulatedPeer receiver)
    {
        while (!bytes.IsEmpty)
        {
            Memory<byte> room = _parser.NextBuffer();
            int part = Math.Min(room.Length, bytes.Length);
            bytes[..part].CopyTo(room.Span);
            _parser.Advance(part);
            bytes = bytes[part..];
            while (IsOpen && _parser.Take(out FrameHeader header, out byte[] payload) is var found && found != FrameParser.Found.NeedsMore)
            {
                Require.That(found == FrameParser.Found.Frame, $"P10: what node {Path.From} sent can be parsed: {_parser.Damage}");
                Join(header, payload, receiver);
            }

            // What it was told may have ended the connection, or the node.
            if (!IsOpen) return;
        }
    }

    private void Join(in FrameHeader header, byte[] payload, SimulatedPeer receiver)
    {
        MessageJoiner lane = (header.Flags & FrameFlags.Urgent) != FrameFlags.None ? _urgent : _bulk;
        Require.That(lane.TryAdd(header, payload, out byte[]? message), $"P10: the fragments that node {Path.From} sent belong together");
        if (message is not null) receiver.Receive(Path.From, header, message);
    }
}
