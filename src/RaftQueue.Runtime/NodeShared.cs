using RaftQueue.Primitives;
using RaftQueue.Storage;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>What all loops of a node share; everything in it is safe from any thread.</summary>
internal sealed class NodeShared
{
    private const int BootShift = 40;

    private long _lastRequest;

    public required NodeOptions Options { get; init; }

    public required Incarnation Incarnation { get; init; }

    /// <summary>Counts the starts of this data directory; the high bits of request numbers, so that none repeats.</summary>
    public required ulong Boot { get; init; }

    public required IClock Clock { get; init; }

    public required INodeLog Log { get; init; }

    public required WriteAheadLog Wal { get; init; }

    public required ReplyTable Replies { get; init; }

    public required ReadTable Reads { get; init; }

    public required LoopMeter ApplyMeter { get; init; }

    public required LoopMeter ReplicaMeter { get; init; }

    /// <summary>See <see cref="NodeEnvironment.Rehearses"/>.</summary>
    public bool Rehearses { get; init; }

    private volatile bool _stateShortOfSpace;
    private long _applyBusySince;

    /// <summary>
    /// Monotonic time since which the apply loop, which all shards share, works on one slice of one of them; zero while it rests.
    /// </summary>
    public long ApplyBusySinceMicroseconds
    {
        get => Volatile.Read(ref _applyBusySince);
        set => Volatile.Write(ref _applyBusySince, value);
    }

    /// <summary>Pages of the state that should leave memory find no place on the disk. Written by the apply loop.</summary>
    public bool StateShortOfSpace
    {
        get => _stateShortOfSpace;
        set => _stateShortOfSpace = value;
    }

    /// <summary>The disk is full: no new work is taken.</summary>
    public bool IsDiskFull => Wal.IsFull || _stateShortOfSpace;

    /// <summary>Set once, before any loop runs.</summary>
    public IPeerNetwork Network { get; set; } = null!;

    /// <summary>How answers reach those who wait for them.</summary>
    public required TaskCreationOptions CompletionOptions { get; init; }

    public NodeId Self => Options.NodeId;

    /// <summary>Whether this process gave out a request number, and not an earlier one on the same directory.</summary>
    public bool IsOfThisBoot(ulong requestNumber) => requestNumber >> BootShift == Boot;

    /// <summary>Numbers above this one were not used before this start.</summary>
    public ulong FirstNumber => Boot << BootShift;

    /// <summary>The newest number that was given out, <see cref="FirstNumber"/> when none was.</summary>
    public ulong LastRequestNumber => FirstNumber | (ulong)Interlocked.Read(ref _lastRequest);

    public ulong NextRequestNumber() => FirstNumber | (ulong)Interlocked.Increment(ref _lastRequest);
}
