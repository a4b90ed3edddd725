using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>
/// A disk in memory that knows what is synced. Every call that changes something is an operation with a number, at
/// which a crash or an error can be planned. Safe from any thread (one lock); deterministic for a seed on one thread.
/// </summary>
public sealed class FakeDisk(ulong seed = 1) : IDisk
{
    private const int InputOutputError = 5;
    private const int NoEntry = 2;
    private const int NoSpace = 28;

    private readonly Lock _gate = new();
    private readonly SplitMix64 _random = new(seed);
    private readonly SortedDictionary<string, FakeDirectory> _directories = new(StringComparer.Ordinal);
    private readonly long[] _counts = new long[Enum.GetValues<DiskOperation>().Length];
    private readonly List<PlannedError> _errors = [];
    private readonly List<FakeInode> _inodes = [];
    private int _life;
    private bool _crashed;

    /// <summary>Operations of all kinds since the disk was made.</summary>
    public long Operations { get; private set; }

    /// <summary>Over every operation with its file, place and data. Equal for two runs that did the same.</summary>
    public ulong Digest { get; private set; }

    /// <summary>The operation with this number (from 1, as counted by <see cref="Operations"/>) throws <see cref="SimulatedCrashException"/>; a write may be done in part first.</summary>
    public long? CrashAtOperation { get; set; }

    /// <summary>While a test reads for itself: errors that are planned for reads wait.</summary>
    public bool IsWatched { get; set; }

    /// <summary>From now on operations fail (EIO), until this is <see cref="BrokenParts.None"/> again: a device that stays broken.</summary>
    public BrokenParts Broken { get; set; }

    /// <summary>How many operations failed as planned, or because the device was broken.</summary>
    public long Errors { get; private set; }

    /// <summary>How many reads were among these.</summary>
    public long ReadErrors { get; private set; }

    /// <summary>How many syncs of files and directories were among these: what was to be durable may never be.</summary>
    public long SyncErrors { get; private set; }

    /// <summary>Bytes that files may take in all; null is no limit.</summary>
    public long? CapacityBytes { get; set; }

    /// <summary>Called before every operation with its kind and path; for traces and for delays of a simulator.</summary>
    public Action<DiskOperation, string>? OnOperation { get; set; }

    /// <summary>Called before every write with its path and offset.</summary>
    public Action<string, long>? OnWrite { get; set; }

    /// <summary>How many operations of a kind there were.</summary>
    public long CountOf(DiskOperation kind) => Volatile.Read(ref _counts[(int)kind]);

    /// <summary>The <paramref name="nth"/> operation of this kind from now on (1 is the next) fails with <paramref name="errno"/>.</summary>
    public void FailNext(DiskOperation kind, int nth = 1, int errno = InputOutputError)
    {
        lock (_gate)
        {
            _errors.Add(new PlannedError(kind, CountOf(kind) + nth, errno));
        }
    }

    /// <summary>
    /// Ends the life of all who hold files: their handles throw from now on. Under <see cref="CrashMode.PowerLoss"/> the
    /// seeded generator (the disk's own, when none is given) decides for each unsynced sector and directory operation. The disk
    /// can be used again at once.
    /// </summary>
    public void Crash(CrashMode mode, SplitMix64? random = null)
    {
        lock (_gate)
        {
            _life++;
            _crashed = false;
            CrashAtOperation = null;
            _errors.Clear();
            if (mode == CrashMode.ProcessDeath) return;
            random ??= _random;
            foreach (FakeDirectory directory in _directories.Values)
            {
                // Names first: a file whose making is lost takes its sectors with it.
                directory.LosePower(random);
            }

            var seen = new HashSet<FakeInode>();
            foreach (FakeInode inode in _directories.Values.SelectMany(directory => directory.Names.Values))
            {
                if (seen.Add(inode)) inode.LosePower(random);
            }
        }
    }

    /// <summary>Flips one bit on the medium: damage, not a write.</summary>
    public void FlipBit(string path, long offset, int bit)
    {
        lock (_gate)
        {
            Find(path).FlipBit(offset, bit);
        }
    }

    /// <summary>What stands at one place of a file stands at another as well, on the medium and for readers: a write that went astray.</summary>
    public void CopyBlock(string path, long from, long to, int length)
    {
        lock (_gate)
        {
            FakeInode inode = Find(path);
            byte[] block = new byte[length];
            inode.Read(from, block);
            inode.Damage(to, block);
        }
    }

    /// <summary>Zeros on the medium and for readers: a write that never happened, on ground that was blank before.</summary>
    public void Blank(string path, long offset, int length)
    {
        lock (_gate)
        {
            Find(path).Damage(offset, new byte[length]);
        }
    }

    /// <summary>What the medium held before it was last written and synced stands there again: a write that never reached it.</summary>
    public void MakeStale(string path, long offset, int length)
    {
        lock (_gate)
        {
            Find(path).MakeStale(offset, length);
        }
    }

    /// <summary>Whether a power loss would leave these bytes, and the file's name, as they are read now; damage does not count.</summary>
    public bool IsDurable(string path, long offset, int length)
    {
        lock (_gate)
        {
            return TryFind(path, out FakeInode? inode) && inode.IsDurable(offset, length)
                && DirectoryOf(path).IsDurable(Path.GetFileName(path), inode);
        }
    }

    /// <summary>The numbers of the 4 KiB pages of a file of which the medium does not have all that is read; none without a file.</summary>
    public IReadOnlySet<long> UnsyncedPages(string path)
    {
        lock (_gate)
        {
            return TryFind(path, out FakeInode? inode) ? inode.UnsyncedPages().ToHashSet() : [];
        }
    }

    /// <summary>What the medium has of the front of a file: less when it is shorter there, nothing when there is no file.</summary>
    public byte[] ReadMedium(string path, int length)
    {
        lock (_gate)
        {
            return TryFind(path, out FakeInode? inode) ? inode.ReadMedium(length) : [];
        }
    }

    /// <summary>Size of a file in bytes; null when there is none.</summary>
    public long? LengthOf(string path)
    {
        lock (_gate)
        {
            return TryFind(path, out FakeInode? inode) ? inode.Length : null;
        }
    }

    /// <summary>Size of a file without the zeros at its end: segments are made longer than what stands in them.</summary>
    public long UsedLengthOf(string path)
    {
        lock (_gate)
        {
            return Find(path).UsedLength();
        }
    }

    /// <summary>Bytes that all files take at present.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
            {
                return SumOfFiles();
            }
        }
    }

    /// <summary>Errors that were planned and have not happened do not happen any more.</summary>
    public void ForgetErrors()
    {
        lock (_gate)
        {
            _errors.Clear();
        }
    }

    /// <summary>The whole content of a file as a reader sees it.</summary>
    public byte[] ReadAll(string path)
    {
        lock (_gate)
        {
            FakeInode inode = Find(path);
            byte[] content = new byte[inode.Length];
            inode.Read(0, content);
            return content;
        }
    }

    public IDiskFile Open(string path, bool create)
    {
        lock (_gate)
        {
            if (!TryFind(path, out FakeInode? inode))
            {
                if (!create) throw new DiskException("open", path, NoEntry);
                Begin(DiskOperation.Create, path);
                inode = new FakeInode();
                _inodes.Add(inode);
                DirectoryOf(path).Bind(Path.GetFileName(path), inode);
            }

            return new FakeFile(this, path, inode, _life);
        }
    }

    public bool FileExists(string path)
    {
        lock (_gate)
        {
            return TryFind(path, out _);
        }
    }

    public IReadOnlyList<string> ListFiles(string directory)
    {
        lock (_gate)
        {
            return _directories.TryGetValue(Key(directory), out FakeDirectory? held) ? [.. held.Names.Keys] : [];
        }
    }

    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            if (_directories.ContainsKey(Key(path))) return;
            Begin(DiskOperation.CreateDirectory, path);

            // Durable at once, as the contract says: each parent is synced.
            for (string? at = Key(path); !string.IsNullOrEmpty(at); at = Path.GetDirectoryName(at))
            {
                _directories.TryAdd(at, new FakeDirectory());
            }
        }
    }

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            Find(from);
            Begin(DiskOperation.Rename, from);
            FakeDirectory directory = DirectoryOf(from);
            Invariant.That(ReferenceEquals(directory, DirectoryOf(to)), "a rename stays in its directory");
            directory.Rename(Path.GetFileName(from), Path.GetFileName(to));
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
        {
            if (!TryFind(path, out _)) return;
            Begin(DiskOperation.Delete, path);
            DirectoryOf(path).Unbind(Path.GetFileName(path));
        }
    }

    public void SyncDirectory(string path)
    {
        lock (_gate)
        {
            Begin(DiskOperation.SyncDirectory, path);
            if (_directories.TryGetValue(Key(path), out FakeDirectory? held)) held.Sync();
        }
    }

    public long FreeBytes(string path)
    {
        lock (_gate)
        {
            return CapacityBytes is { } capacity ? Math.Max(0, capacity - SumOfFiles()) : long.MaxValue / 2;
        }
    }

    /// <summary>Nobody uses the disk any more: its memory goes to the next one. What was counted of it stays.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _life++;
            foreach (FakeInode inode in _inodes) inode.Release();
            _inodes.Clear();
            _directories.Clear();
        }
    }

    private static string Key(string directory) => Path.TrimEndingDirectorySeparator(directory);

    private long SumOfFiles() => _directories.Values.SelectMany(directory => directory.Names.Values).Sum(inode => inode.AllocatedBytes);

    private FakeDirectory DirectoryOf(string path) =>
        _directories.TryGetValue(Key(Path.GetDirectoryName(path) ?? ""), out FakeDirectory? held)
            ? held
            : throw new DiskException("open", path, NoEntry);

    private bool TryFind(string path, [NotNullWhen(true)] out FakeInode? inode)
    {
        inode = null;
        return _directories.TryGetValue(Key(Path.GetDirectoryName(path) ?? ""), out FakeDirectory? held)
            && held.Names.TryGetValue(Path.GetFileName(path), out inode);
    }

    private FakeInode Find(string path) =>
        TryFind(path, out FakeInode? inode) ? inode : throw new DiskException("open", path, NoEntry);

    /// <summary>Counts an operation and throws what is planned for it. Under the lock.</summary>
    private void Begin(DiskOperation kind, string path, FakeInode? syncing = null)
    {
        if (_crashed) throw new SimulatedCrashException($"the process died before this {kind} of {path}");
        OnOperation?.Invoke(kind, path);
        Operations++;
        Digest = SplitMix64.Mix(Digest ^ ((ulong)kind << 56) ^ HashOf(path));
        long number = ++_counts[(int)kind];
        if (Operations == CrashAtOperation)
        {
            _crashed = true;
            throw new SimulatedCrashException($"operation {Operations}: {kind} of {path}");
        }

        ThrowPlanned(kind, number, path, syncing);
    }

    private void ThrowPlanned(DiskOperation kind, long number, string path, FakeInode? syncing)
    {
        if (Broken == BrokenParts.All || (Broken == BrokenParts.Writes && kind != DiskOperation.Read)) Fail(kind, path, InputOutputError, syncing);
        if (_errors.Count == 0) return;
        int planned = _errors.FindIndex(error => error.Kind == kind && error.Number == number);
        if (planned < 0) return;
        int errno = _errors[planned].Errno;
        _errors.RemoveAt(planned);
        Fail(kind, path, errno, syncing);
    }

    [DoesNotReturn]
    private void Fail(DiskOperation kind, string path, int errno, FakeInode? syncing)
    {
        Errors++;
        if (kind == DiskOperation.Read) ReadErrors++;
        if (kind is DiskOperation.DataSync or DiskOperation.SyncDirectory) SyncErrors++;
        syncing?.FailSync();
        throw new DiskException(kind.ToString(), path, errno);
    }

    private static ulong HashOf(string path)
    {
        ulong hash = 14695981039346656037;
        foreach (char character in path) hash = (hash ^ character) * 1099511628211;
        return hash;
    }

    private sealed record PlannedError(DiskOperation Kind, long Number, int Errno);

    private sealed class FakeFile(FakeDisk disk, string path, FakeInode inode, int life) : IDiskFile
    {
        public long Length
        {
            get
            {
                lock (disk._gate)
                {
                    return inode.Length;
                }
            }
        }

        public int ReadAt(long offset, Span<byte> buffer)
        {
            lock (disk._gate)
            {
                CheckAlive();
                if (!disk.IsWatched) disk.ThrowPlanned(DiskOperation.Read, ++disk._counts[(int)DiskOperation.Read], path, null);
                return inode.Read(offset, buffer);
            }
        }

        public void WriteAt(long offset, ReadOnlySpan<byte> data)
        {
            lock (disk._gate)
            {
                CheckAlive();
                disk.OnWrite?.Invoke(path, offset);
                BeginWrite(offset, data);
                inode.Write(offset, data);
            }
        }

        public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            byte[] all = ArrayPool<byte>.Shared.Rent(parts.Sum(part => part.Length));
            try
            {
                int at = 0;
                foreach (ReadOnlyMemory<byte> part in parts)
                {
                    part.Span.CopyTo(all.AsSpan(at));
                    at += part.Length;
                }

                WriteAt(offset, all.AsSpan(0, at));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(all);
            }
        }

        public void DataSync()
        {
            lock (disk._gate)
            {
                CheckAlive();
                disk.Begin(DiskOperation.DataSync, path, inode);
                inode.Sync();
            }
        }

        public void Allocate(long length)
        {
            lock (disk._gate)
            {
                CheckAlive();
                disk.Begin(DiskOperation.Allocate, path);
                CheckSpace(length);
                inode.Extend(length);
                inode.Sync();
            }
        }

        public void SetLength(long length)
        {
            lock (disk._gate)
            {
                CheckAlive();
                disk.Begin(DiskOperation.SetLength, path);
                inode.SetLength(length);
            }
        }

        public void Advise(DiskAdvice advice, long offset, long length)
        {
            // It reads and writes without a page cache in front.
        }

        public void Dispose()
        {
            // Nothing to give back: the content belongs to the disk.
        }

        private void BeginWrite(long offset, ReadOnlySpan<byte> data)
        {
            try
            {
                disk.Begin(DiskOperation.Write, path);
            }
            catch (SimulatedCrashException) when (disk.Operations == disk.CrashAtOperation)
            {
                // A process can die in the middle of a write: any front part of it may have happened.
                inode.Write(offset, data[..(int)disk._random.NextBelow(data.Length + 1)]);
                throw;
            }

            disk.Digest += SplitMix64.Mix(((ulong)offset << 32) ^ Crc32C.Compute(data));
            CheckSpace(offset + data.Length);
        }

        private void CheckSpace(long length)
        {
            if (disk.CapacityBytes is not { } capacity || length <= inode.AllocatedBytes) return;
            if (disk.SumOfFiles() + length - inode.AllocatedBytes > capacity) throw new DiskException("write", path, NoSpace);
        }

        private void CheckAlive()
        {
            if (life != disk._life) throw new SimulatedCrashException($"{path} was opened by a process that died");
        }
    }
}
