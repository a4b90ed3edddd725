using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>A log on a <see cref="FakeDisk"/> that can be crashed and opened again.</summary>
internal sealed class WalFixture
{
    public const string Directory = "/node";

    public WalFixture(WalOptions? options = null, ulong seed = 1)
    {
        Options = options ?? new WalOptions { SegmentBytes = 64 * 1024 };
        Disk = new FakeDisk(seed);
    }

    private bool _woken;

    public FakeDisk Disk { get; }

    public FakeClock Clock { get; } = new();

    public WalOptions Options { get; }

    public RecordingListener Listener { get; private set; } = new();

    public WriteAheadLog Wal { get; private set; } = null!;

    public WriteAheadLog Open()
    {
        Listener = new RecordingListener();
        Wal = WriteAheadLog.Open(Disk, Clock, Directory, Options);
        Wal.Attach(Listener, () => _woken = true, () => { });
        return Wal;
    }

    public WriteAheadLog CrashAndOpen(CrashMode mode)
    {
        Disk.Crash(mode);
        return Open();
    }

    /// <summary>Runs the log's loop and the one that prepares segments while they want to run at the present time.</summary>
    public void Run()
    {
        bool again = true;
        while (again)
        {
            _woken = false;
            again = Wal.RunOnce() <= Clock.MonotonicMicroseconds;
            again |= Wal.Preparation.RunOnce() <= Clock.MonotonicMicroseconds;
            again |= _woken;
        }
    }

    /// <summary>Runs only the log's loop.</summary>
    public void RunLog()
    {
        while (Wal.RunOnce() <= Clock.MonotonicMicroseconds)
        {
        }
    }

    /// <summary>Runs, and lets enough time pass for the idle mark.</summary>
    public void RunToMark()
    {
        Run();
        Clock.AdvanceMs(Options.SyncMarkIdleMs + 50);
        Run();
    }

    public string SegmentPath(long sequence) => Path.Combine(Directory, "wal", $"{sequence:D12}.seg");

    public IEnumerable<string> Segments() =>
        Disk.ListFiles(Path.Combine(Directory, "wal")).Where(name => name.EndsWith(".seg", StringComparison.Ordinal));
}
