using System.Diagnostics.CodeAnalysis;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// The segment files: those of the log, and zero-filled spares held ready. Space is taken only here, and ENOSPC here is
/// not a lost write: the spares carry on. Used by the log's loop, except <see cref="TryAcquire"/> and <see cref="Return"/>, and
/// <see cref="PrepareSlice"/>, which <see cref="SegmentPreparation"/> calls on a loop of its own and the log's loop when it has no segment left.
/// </summary>
internal sealed class SegmentStore(IDisk disk, string walDirectory, WalOptions options) : IDisposable
{
    private const long MostSliceBytes = 1024 * 1024;
    private const int LeastSlices = 4;

    private const long RetryMicroseconds = 1_000_000;

    /// <summary>Zeroed in one slice: so much the log's loop may have to wait for.</summary>
    private readonly long _sliceBytes = Math.Min(MostSliceBytes, options.SegmentBytes / LeastSlices);

    private readonly Lock _gate = new(); // never held across IO
    private readonly Lock _preparation = new(); // one slice at a time, whoever makes it
    private readonly List<Segment> _live = [];
    private readonly Queue<string> _spares = new();
    private IDiskFile? _preparing;
    private string _preparingPath = "";
    private long _spareNumber;
    private long _retryAt;
    private bool _full;

    /// <summary>No segment could be allocated beside the reserve. Safe from any thread.</summary>
    public bool IsFull => Volatile.Read(ref _full);

    /// <summary>Not one spare is left. Safe from any thread.</summary>
    public bool IsExhausted => SpareCount == 0;

    /// <summary>Called on the log's loop when there is one spare more or fewer. Set before the loops run.</summary>
    public Action? SparesChanged { get; set; }

    public Segment Newest => _live[^1];

    private int SpareCount
    {
        get
        {
            lock (_gate)
            {
                return _spares.Count;
            }
        }
    }

    /// <summary>Takes over a segment of the log that recovery found, oldest first.</summary>
    public void Adopt(Segment segment)
    {
        lock (_gate)
        {
            _live.Add(segment);
        }
    }

    /// <summary>
    /// Makes spares of the files that are not part of the log: leftovers of a crash, and the spares of before.
    /// </summary>
    public void CollectSpares(IReadOnlySet<string> inUse)
    {
        IReadOnlyList<string> names = disk.ListFiles(walDirectory);
        _spareNumber = names.Count == 0 ? 0 : names.Max(NumberOf);
        foreach (string name in names.Where(name => !inUse.Contains(name)))
        {
            string path = Path.Combine(walDirectory, name);
            using IDiskFile file = disk.Open(path, create: false);
            bool whole = file.Length >= options.SegmentBytes;
            if (!whole || !IsKept(SpareCount - 1))
            {
                disk.Delete(path);
            }
            else if (name.EndsWith(WalFormat.SpareSuffix, StringComparison.Ordinal))
            {
                AddSpare(path);
            }
            else
            {
                MakeSpare(path);
            }
        }
    }

    /// <summary>Where the segment with this sequence number stands.</summary>
    public string PathOf(long sequence) => Path.Combine(walDirectory, SegmentHeader.FileName(sequence));

    /// <summary>
    /// Gives a spare the name of segment <paramref name="sequence"/>, durably, and adds it to the log. False when there is
    /// none and no space for one. Its content is not the log's before a header is written.
    /// </summary>
    public bool TryActivate(long sequence, long now)
    {
        string? spare;
        while (!TryTakeSpare(out spare))
        {
            if (PrepareSlice(now) > now && IsExhausted) return false;
        }

        string path = PathOf(sequence);
        disk.Rename(spare, path);
#if PLANTED_BUGS
        if (!PlantedBugs.Has(PlantedBug.RenameNotSynced))
#endif
        disk.SyncDirectory(walDirectory);
        Adopt(new Segment(sequence, path, LatchedFile.Open(disk, path, create: false), options.SegmentBytes));
        return true;
    }

    /// <summary>
    /// Zero-fills one slice of a missing spare. Returns when it wants to run again: <paramref name="now"/> for at once,
    /// later after the disk was full, never when the reserve is complete. Safe from any thread; two take turns at one file. What a crash
    /// leaves of it is shorter than a segment, and deleted by the next start.
    /// </summary>
    public long PrepareSlice(long now)
    {
        lock (_preparation) return PrepareSliceAlone(now);
    }

    private long PrepareSliceAlone(long now)
    {
        if (SpareCount >= options.ReserveSegments)
        {
            DropPreparation();
            Volatile.Write(ref _full, false);
            return ILoopBody.Never;
        }

        if (now < _retryAt) return _retryAt;
        try
        {
            if (_preparing is null && disk.FreeBytes(walDirectory) < options.SegmentBytes) return Full(now);
            _preparing ??= StartPreparation();
            long length = Math.Min(_preparing.Length + _sliceBytes, options.SegmentBytes);
            _preparing.Allocate(length);
            if (length < options.SegmentBytes) return now;
        }
        catch (DiskException failure) when (failure.IsDiskFull)
        {
            DropPreparation();
            return Full(now);
        }

        _preparing.Dispose();
        _preparing = null;
        AddSpare(_preparingPath);
        return now;
    }

    /// <summary>Recovery has copied a segment whole into the newest one: its file is free.</summary>
    public void DiscardReplaced(long sequence)
    {
        Segment replaced;
        lock (_gate)
        {
            replaced = _live.Single(segment => segment.Sequence == sequence);
            _live.Remove(replaced);
        }

        Discard(replaced);
    }

    /// <summary>The newest segment was made larger.</summary>
    public Segment ReplaceNewest(Segment larger)
    {
        lock (_gate)
        {
            _live[^1] = larger;
            return larger;
        }
    }

    /// <summary>Recycles the oldest segments below <paramref name="sequence"/>, as far as nobody reads them.</summary>
    public void TrimBefore(long sequence)
    {
        while (TakeOldest(sequence) is { } segment)
        {
            Discard(segment);
        }
    }

    /// <summary>Recycles a segment that is not (or no more) part of the log. Durable with the next <see cref="TryActivate"/>.</summary>
    public void Discard(Segment segment)
    {
        segment.File.Dispose();
        if (IsKept(SpareCount))
        {
            MakeSpare(segment.Path);
        }
        else
        {
            disk.Delete(segment.Path);
        }
    }

    /// <summary>A segment for reading, or null when it is recycled. Give it back. Safe from any thread.</summary>
    public Segment? TryAcquire(long sequence)
    {
        lock (_gate)
        {
            Segment? found = _live.Find(segment => segment.Sequence == sequence);
            if (found is not null) found.Readers++;
            return found;
        }
    }

    public void Return(Segment segment)
    {
        lock (_gate)
        {
            segment.Readers--;
        }
    }

    /// <summary>How many segments of the log are not older than <paramref name="sequence"/>.</summary>
    public int CountFrom(long sequence)
    {
        int count = 0;
        for (int index = _live.Count - 1; index >= 0 && _live[index].Sequence >= sequence; index--)
        {
            count++;
        }

        return count;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (Segment segment in _live)
            {
                segment.File.Dispose();
            }

            _live.Clear();
        }

        lock (_preparation)
        {
            _preparing?.Dispose();
            _preparing = null;
        }
    }

    private static long NumberOf(string name) =>
        name.EndsWith(WalFormat.SpareSuffix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(0, name.Length - WalFormat.SpareSuffix.Length), out long number) ? number : 0;

    private bool IsKept(int spares) => spares < options.ReserveSegments || _live.Count + spares < options.KeepSegments;

    private Segment? TakeOldest(long below)
    {
        lock (_gate)
        {
            if (_live.Count <= 1 || _live[0].Sequence >= below || _live[0].Readers > 0) return null;
            Segment oldest = _live[0];
            _live.RemoveAt(0);
            return oldest;
        }
    }

    private void MakeSpare(string path)
    {
        string spare = NextSparePath();
        disk.Rename(path, spare);
        AddSpare(spare);
        SparesChanged?.Invoke();
    }

    private void AddSpare(string path)
    {
        lock (_gate)
        {
            _spares.Enqueue(path);
        }
    }

    private bool TryTakeSpare([NotNullWhen(true)] out string? path)
    {
        lock (_gate)
        {
            if (!_spares.TryDequeue(out path)) return false;
        }

        SparesChanged?.Invoke();
        return true;
    }

    private string NextSparePath() =>
        Path.Combine(walDirectory, $"{Interlocked.Increment(ref _spareNumber):D12}{WalFormat.SpareSuffix}");

    private IDiskFile StartPreparation()
    {
        _preparingPath = NextSparePath();
        return LatchedFile.Open(disk, _preparingPath, create: true);
    }

    private void DropPreparation()
    {
        if (_preparing is null) return;
        _preparing.Dispose();
        _preparing = null;
        disk.Delete(_preparingPath);
    }

    private long Full(long now)
    {
        Volatile.Write(ref _full, true);
        _retryAt = now + RetryMicroseconds;
        return _retryAt;
    }
}
