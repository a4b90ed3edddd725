using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>Against the real kernel, in a temporary directory.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxDiskTests : IDisposable
{
    private const int BadDescriptor = 9;
    private const int InvalidArgument = 22;
    private const int NoSpace = 28;

    private readonly string _directory = Directory.CreateTempSubdirectory("raftqueue-storage-").FullName;
    private readonly LinuxDisk _disk = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void WhatIsWrittenIsReadInPartsLargeAndSmall()
    {
        using IDiskFile file = _disk.Open(Path.Combine(_directory, "file"), create: true);
        var parts = new List<ReadOnlyMemory<byte>>();
        var expected = new List<byte>();
        for (int part = 0; part < 2500; part++)
        {
            byte[] bytes = new byte[part % 7 == 0 ? 0 : part % 50];
            Array.Fill(bytes, (byte)part);
            parts.Add(bytes);
            expected.AddRange(bytes);
        }

        file.WriteGatherAt(100, parts);
        file.DataSync();
        byte[] read = new byte[expected.Count + 50];
        Assert.Equal(expected.Count, file.ReadAt(100, read));
        Assert.Equal(expected, read.Take(expected.Count));
        Assert.Equal(100 + expected.Count, file.Length);
        file.WriteAt(3, [1, 2, 3]);
        Assert.Equal(3, file.ReadAt(3, read.AsSpan(0, 3)));
        Assert.Equal([1, 2, 3], read.Take(3));
    }

    [Fact]
    public void AllocatedBytesAreZeroAndReal()
    {
        string path = Path.Combine(_directory, "file");
        using IDiskFile file = _disk.Open(path, create: true);
        file.Allocate(1024 * 1024);
        file.Allocate(1000);
        Assert.Equal(1024 * 1024, file.Length);
        byte[] read = new byte[1024 * 1024];
        Array.Fill(read, (byte)1);
        Assert.Equal(read.Length, file.ReadAt(0, read));
        Assert.All(read, value => Assert.Equal(0, value));
        file.SetLength(10);
        Assert.Equal(10, file.Length);
    }

    /// <summary>Whatever the page cache was told: what is allocated reads as zeros, and what is written as it was written.</summary>
    [Fact]
    public void AdviceChangesNothing()
    {
        using IDiskFile file = _disk.Open(Path.Combine(_directory, "scattered"), create: true);
        file.Advise(DiskAdvice.RandomReads, 0, 0);
        file.Allocate(1024 * 1024);
        Assert.Equal(1024 * 1024, file.Length);
        byte[] expected = new byte[1024 * 1024];
        new Random(1).NextBytes(expected.AsSpan(3 * 4096, (9 * 4096) + 100));
        file.WriteAt(3 * 4096, expected.AsSpan(3 * 4096, (9 * 4096) + 100));
        file.WriteAt(0, []);
        file.DataSync();
        file.Advise(DiskAdvice.NotReadAgain, 0, 0);
        file.Advise(DiskAdvice.ReadSoon, 4096, 4096);
        byte[] read = new byte[expected.Length];
        Assert.Equal(read.Length, file.ReadAt(0, read));
        Assert.Equal(expected, read);
    }

    [Fact]
    public void DirectoriesAreForTheOwnerOnly()
    {
        string path = Path.Combine(_directory, "a", "b", "c");
        _disk.CreateDirectory(path);
        _disk.CreateDirectory(path);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        using (_disk.Open(Path.Combine(path, "z"), create: true))
        using (_disk.Open(Path.Combine(path, "B"), create: true))
        {
            Assert.Equal(["B", "z"], _disk.ListFiles(path));
        }

        _disk.Rename(Path.Combine(path, "z"), Path.Combine(path, "B"));
        _disk.SyncDirectory(path);
        Assert.Equal(["B"], _disk.ListFiles(path));
        _disk.Delete(Path.Combine(path, "B"));
        _disk.Delete(Path.Combine(path, "B"));
        Assert.Empty(_disk.ListFiles(path));
        Assert.Empty(_disk.ListFiles(Path.Combine(path, "none")));
        Assert.True(_disk.FreeBytes(path) > 0);
    }

    [Fact]
    public void EveryFailureNamesItsCallAndNumber()
    {
        string missing = Path.Combine(_directory, "none", "file");
        Assert.Equal(2, Assert.Throws<DiskException>(() => _disk.Open(missing, create: true)).Errno);
        Assert.Equal("open", Assert.Throws<DiskException>(() => _disk.Open(missing, create: false)).Call);
        Assert.Equal("rename", Assert.Throws<DiskException>(() => _disk.Rename(missing, missing + "2")).Call);
        Assert.Throws<DiskException>(() => _disk.SyncDirectory(missing));
        string file = Path.Combine(_directory, "plain");
        _disk.Open(file, create: true).Dispose();
        Assert.Equal("mkdir", Assert.Throws<DiskException>(() => _disk.CreateDirectory(Path.Combine(file, "x"))).Call);
    }

    /// <summary>The canary without root: calls that this kernel is sure to refuse must not come back as if all were well.</summary>
    [Fact]
    public void TheKernelsRefusalsAreSeen()
    {
        // A pipe cannot be synced: EINVAL from fdatasync itself.
        int[] ends = new int[2];
        Assert.Equal(0, Pipe(ends));
        using var reading = new SafeFileHandle(ends[0], ownsHandle: true);
        using var pipe = new LinuxFile("pipe", new SafeFileHandle(ends[1], ownsHandle: true));
        DiskException sync = Assert.Throws<DiskException>(pipe.DataSync);
        Assert.Equal(("fdatasync", InvalidArgument), (sync.Call, sync.Errno));

        // A descriptor that is closed behind the file's back.
        int descriptor = Open("/dev/null", 2);
        using var gone = new LinuxFile("closed", new SafeFileHandle(descriptor, ownsHandle: false));
        Assert.Equal(0, Close(descriptor));
        Assert.Equal(BadDescriptor, Assert.Throws<DiskException>(gone.DataSync).Errno);
        Assert.Equal(BadDescriptor, Assert.Throws<DiskException>(() => gone.WriteAt(0, [1])).Errno);
        Assert.Equal(BadDescriptor, Assert.Throws<DiskException>(() => gone.ReadAt(0, new byte[1])).Errno);

        // A device without space.
        using IDiskFile full = _disk.Open("/dev/full", create: false);
        DiskException write = Assert.Throws<DiskException>(() => full.WriteAt(0, [1]));
        Assert.Equal(NoSpace, write.Errno);
        Assert.True(write.IsDiskFull);
    }

    [Fact]
    public void ADirectoryIsForOneHolder()
    {
        IDisposable first = _disk.LockDirectory(_directory);
        IDisposable second = _disk.LockDirectory(_directory);
        var other = new LinuxDisk();
        Assert.Throws<DirectoryInUseException>(() => other.LockDirectory(_directory));
        first.Dispose();
        first.Dispose();
        Assert.Throws<DirectoryInUseException>(() => other.LockDirectory(_directory));
        second.Dispose();
        other.LockDirectory(_directory).Dispose();
    }

    [Fact]
    public void ALogLivesOnARealDisk()
    {
        var clock = new FakeClock();
        var options = new WalOptions { SegmentBytes = 1024 * 1024, CacheBytesPerShard = 4096 };
        List<LogEntry> entries = TestEntries.Range(0, 1, 1, 700, 4000);
        for (int start = 0; start < 7; start++)
        {
            using WriteAheadLog wal = WriteAheadLog.Open(_disk, clock, _directory, options);
            Assert.Throws<DirectoryInUseException>(() => WriteAheadLog.Open(new LinuxDisk(), clock, _directory, options));
            Assert.Equal(start * 100, wal.Recovered(new ShardId(0)).LastIndex.Value);
            wal.Append(new ShardId(0), entries.GetRange(start * 100, 100));
            wal.SaveHardState(new ShardId(0), new HardState(new Term(start + 1), new NodeId(1)));
            while (wal.RunOnce() <= clock.MonotonicMicroseconds)
            {
            }

            Assert.Equal(
                entries.Take((start + 1) * 100).Select(entry => entry.Bytes.ToArray()),
                TestEntries.ReadAll(wal, 0).Select(entry => entry.Bytes.ToArray()));
        }

        CheckReport report = StorageCheck.Check(_disk, _directory, _ => { });
        Assert.Equal($"'{_directory}' has no identity file", Assert.Single(report.Problems));
        Assert.Contains(report.Notes, note => note == "shard 0: entries 1 to 700 of term 1");
    }

    [DllImport("libc", EntryPoint = "pipe")]
    private static extern int Pipe(int[] ends);

    [DllImport("libc", EntryPoint = "open", CharSet = CharSet.Ansi)]
    private static extern int Open(string path, int flags);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
