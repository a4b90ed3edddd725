using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>One node of a <see cref="SimulatedCluster"/>: a disk that outlives it, and a process that may be running.</summary>
internal sealed class SimulatedNode(NodeId id, FakeDisk disk, FakeClock clock)
{
    private FakeDisk _disk = disk;
    private ManualLoopHost? _loops;
    private long _pastSlices;
    private long _pastOperations;
    private long _pastErrors;
    private ulong _pastDigest;
    private long _pastReadErrors;
    private long _errorsBefore;
    private long _readErrorsBefore;
    private long _pastEvictions;
    private Node? _node;
    private Func<string>? _lastLoop;

    /// <summary>This node's clocks, made from the true time.</summary>
    public SimulatedClock Clock { get; } = new(clock);

    /// <summary>Nothing of it runs before this time: a stopped process, which then goes on.</summary>
    public long PausedUntilMicroseconds { get; set; }

    public bool IsPaused => clock.MonotonicMicroseconds < PausedUntilMicroseconds;

    public long NextDueMicroseconds => Math.Max(PausedUntilMicroseconds, Clock.ToTrue(_loops?.NextDueMicroseconds ?? long.MaxValue));

    public NodeId Id => id;

    /// <summary>How often it was started.</summary>
    public int Lives { get; private set; }

    /// <summary>What of its disk was damaged and not known to be whole since.</summary>
    public DamagedParts Damaged { get; set; }

    /// <summary>An operation of its disk failed in this life, or at this start: it may stop by itself, or not start, but no other life is excused by it.</summary>
    public bool HasFailed => DiskErrors > _errorsBefore;

    /// <summary>A read did: something that is on the disk may have been taken for gone.</summary>
    public bool HasFailedToRead => _pastReadErrors + _disk.ReadErrors > _readErrorsBefore;

    /// <summary>What happens when that makes it stop: even, the machine loses power; else the process dies.</summary>
    public ulong FailSalt { get; set; } = 1;

    /// <summary>Clients do not reach it; peers do.</summary>
    public bool IsCutFromClients { get; set; }

    /// <summary>So often clients saw all their connections to it break.</summary>
    public int ClientBreaks { get; set; }

    /// <summary>Starts in a row that ended with an error.</summary>
    public int StartsFailed { get; set; }

    public FakeDisk Disk
    {
        get => _disk;
        set
        {
            _pastOperations += _disk.Operations;
            _pastErrors += _disk.Errors;
            _pastReadErrors += _disk.ReadErrors;
            _pastDigest = SplitMix64.Mix(_pastDigest ^ _disk.Digest);
            _disk.Release();
            _disk = value;
        }
    }

    /// <summary>Operations of its disks that failed.</summary>
    public long DiskErrors => _pastErrors + _disk.Errors;

    public Node? Node
    {
        get => _node;
        set
        {
            _pastEvictions += EvictionsOf(_node);
            _node = value;
        }
    }

    public ManualLoopHost? Loops
    {
        get => _loops;
        set
        {
            _pastSlices += _loops?.Slices ?? 0;
            _pastDigest = SplitMix64.Mix(_pastDigest ^ (_loops?.Digest ?? 0));
            _loops = value;
        }
    }

    /// <summary>What ran last of it.</summary>
    public Func<string> LastLoop => _lastLoop ??= () => $"the {_loops?.LastLoop} loop of node {id}";

    public bool IsRunning => Node is not null;

    /// <summary>Pages that left its memory, in all its lives.</summary>
    public long Evictions => _pastEvictions + EvictionsOf(Node);

    /// <summary>Slices of loops and operations of disks, in all its lives.</summary>
    public long Events => _pastSlices + (_loops?.Slices ?? 0) + _pastOperations + _disk.Operations;

    /// <summary>Over every slice and every operation, with what was written.</summary>
    public ulong Digest => SplitMix64.Mix(_pastDigest ^ _disk.Digest ^ SplitMix64.Mix(_loops?.Digest ?? 0));

    /// <summary>It is started; its number.</summary>
    public int BeginLife()
    {
        _errorsBefore = DiskErrors;
        _readErrorsBefore = _pastReadErrors + _disk.ReadErrors;
        return ++Lives;
    }

    private static long EvictionsOf(Node? node) => node?.Parts.Applies.Sum(shard => shard.State.Pages.Counters.Evictions) ?? 0;
}
