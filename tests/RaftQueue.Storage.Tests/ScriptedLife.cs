using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>
/// Drives a log through everything it can do and keeps two books: what was handed to it, and what it has reported.
/// In quorum-memory what was reported counts only once it is said to be durable.
/// </summary>
internal sealed class ScriptedLife(WalOptions options, ulong seed) : IWalListener
{
    private const int Shards = 2;

    private readonly FakeClock _clock = new();
    private readonly HashSet<(int Shard, long Index, long Term)> _everAppended = [];

    // The log as it would be after each call, in order of the calls; reported ones can never be fallen back behind.
    private readonly List<Dictionary<long, long>>[] _versions = [[[]], [[]]];
    private readonly int[] _reportedVersion = new int[Shards];
    private readonly List<HardState>[] _hardStates = [[default], [default]];
    private readonly int[] _reportedHardState = new int[Shards];
    private readonly long[] _released = new long[Shards];
    private WriteAheadLog? _wal;

    public FakeDisk Disk { get; } = new(seed);

    public void Begin() => Open();

    public void RunAll()
    {
        SaveHardState(0, 1, 1);
        SaveHardState(1, 1, 2);
        Append(0, 1, 1, 3, 100);
        Append(1, 1, 1, 2, 100);
        Run();
        Append(0, 1, 4, 8, 3000);
        Run();
        SaveHardState(0, 2, 2);
        Append(0, 2, 6, 9, 2000);
        Append(1, 1, 3, 3, 50);
        Run();
        Idle();
        for (long index = 10; index <= 17; index++)
        {
            Append(0, 2, index, index, 9000);
            Run();
        }

        Release(0, 12);
        Append(1, 3, 3, 6, 1000);
        Run();
        Release(1, 4);
        Idle();
        Append(0, 4, 17, 20, 9000);
        Run();
        Release(0, 18);
        Idle();
        Restart(1, 50, 4);
        Append(1, 4, 51, 53, 400);
        Append(0, 4, 21, 26, 9000);
        Run();
        Release(0, 25);
        Idle();
    }

    /// <summary>More life after a recovery: whatever was recovered must take new entries.</summary>
    public void GoOn()
    {
        for (int shard = 0; shard < Shards; shard++)
        {
            long last = _wal!.Log(new ShardId((ushort)shard)).LastIndex.Value;
            SaveHardState(shard, 9, 1);
            Append(shard, 9, last + 1, last + 3, 5000);
        }

        Run();
    }

    public void CrashAndCheck(CrashMode mode, string situation)
    {
        Disk.Crash(mode);
        Open();
        Check(situation);
    }

    /// <summary>True when the recovery was long enough to be ended at that operation.</summary>
    public bool CrashDuringRecovery(CrashMode mode, long operation)
    {
        Disk.Crash(mode);
        Disk.CrashAtOperation = Disk.Operations + operation;
        try
        {
            Open();
        }
        catch (SimulatedCrashException)
        {
            return true;
        }

        Disk.CrashAtOperation = null;
        return false;
    }

    public void Persisted(ShardId shard, LogIndex index, Term term)
    {
        if (!options.SyncBeforeReply) return;
        NoteReported(shard.Value, index.Value, term.Value);
    }

    public void HardStatePersisted(ShardId shard, HardState state) =>
        _reportedHardState[shard.Value] = _hardStates[shard.Value].LastIndexOf(state);

    public void DiskFullChanged(bool full) => Assert.False(full, "nothing limits this disk");

    private void NoteReported(int shard, long index, long term)
    {
        // The newest version of the log that ends so: by the order of the calls nothing later has been written.
        int version = _versions[shard].FindLastIndex(log => log.Count > 0 && log.Keys.Max() == index && log[index] == term);
        Assert.True(version >= 0, $"shard {shard}: reported {index} of term {term}, which never was the end of the log");
        _reportedVersion[shard] = Math.Max(_reportedVersion[shard], version);
    }

    private void Open()
    {
        _wal = WriteAheadLog.Open(Disk, _clock, "/node", options);
        _wal.Attach(this, () => { }, () => { });
    }

    private void Check(string situation)
    {
        for (int shard = 0; shard < Shards; shard++)
        {
            RecoveredShard recovered = _wal!.Recovered(new ShardId((ushort)shard));
            Assert.True(recovered.DamageReport is null, $"{situation}: {recovered.DamageReport}");
            Assert.Null(recovered.VoteFloor);
            CheckHardState(shard, recovered, situation);
            CheckEntries(shard, recovered, situation);
        }
    }

    private void CheckHardState(int shard, RecoveredShard recovered, string situation)
    {
        Assert.True(recovered.HardState is not null, $"{situation}: votes lost");
        int found = _hardStates[shard].LastIndexOf(recovered.HardState.Value);
        Assert.True(found >= _reportedHardState[shard], $"{situation}: shard {shard} went back to {recovered.HardState}");

        // Whatever is shown to the node is durable: from now on there is no way back behind it.
        _reportedHardState[shard] = found;
    }

    private void CheckEntries(int shard, RecoveredShard recovered, string situation)
    {
        List<LogEntry> entries = TestEntries.ReadAll(_wal!, shard);
        Assert.Equal(recovered.LastIndex - recovered.FirstIndex + 1, entries.Count);
        foreach (LogEntry entry in entries)
        {
            Assert.Contains((shard, entry.Index.Value, entry.Term.Value), _everAppended);
            Assert.Equal(TestEntries.Make(shard, entry.Term.Value, entry.Index.Value, SizeOf(entry)).Bytes.ToArray(), entry.Bytes.ToArray());
        }

        var found = entries.ToDictionary(entry => entry.Index.Value, entry => entry.Term.Value);
        int version = FindVersion(shard, found, recovered);
        Assert.True(
            version >= 0,
            $"{situation}: shard {shard}: {recovered.FirstIndex} to {recovered.LastIndex} of term {recovered.LastTerm} is no log "
            + $"that was reported or came after; reported was {Describe(_versions[shard][_reportedVersion[shard]])}");

        // As above; and the versions that were not reached are gone for good.
        _versions[shard].RemoveRange(version + 1, _versions[shard].Count - version - 1);
        _reportedVersion[shard] = version;
    }

    /// <summary>A version from the reported one on, of which what is found is a front part (a batch may be cut), released entries aside.</summary>
    private int FindVersion(int shard, Dictionary<long, long> found, RecoveredShard recovered)
    {
        List<Dictionary<long, long>> versions = _versions[shard];
        for (int number = versions.Count - 1; number >= _reportedVersion[shard]; number--)
        {
            Dictionary<long, long> version = versions[number];
            long end = version.Count == 0 ? 0 : version.Keys.Max();
            bool sameEnd = recovered.LastIndex.Value == end && (end == 0 || version[end] == recovered.LastTerm.Value);
            bool holdsNeeded = version.Keys.All(index => index <= _released[shard] || index == 50 || found.ContainsKey(index));
            bool sameTerms = found.All(pair => version.TryGetValue(pair.Key, out long term) && term == pair.Value);
            if (sameEnd && holdsNeeded && sameTerms) return number;
        }

        return -1;
    }

    private static string Describe(Dictionary<long, long> version) =>
        string.Join(' ', version.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}/{pair.Value}"));

    private static int SizeOf(LogEntry entry) => entry.SizeBytes - EntryHeader.Size - CommandFrame.HeaderSize;

    private void Append(int shard, long term, long first, long last, int bodyBytes)
    {
        List<LogEntry> entries = TestEntries.Range(shard, term, first, last, bodyBytes);
        foreach (LogEntry entry in entries)
        {
            // Each entry may be the last one written, when a batch ends there.
            _everAppended.Add((shard, entry.Index.Value, term));
            Dictionary<long, long> version = new(_versions[shard][^1].Where(pair => pair.Key < entry.Index.Value))
            {
                [entry.Index.Value] = term,
            };
            _versions[shard].Add(version);
        }

        _wal!.Append(new ShardId((ushort)shard), entries);
    }

    private void Restart(int shard, long index, long term)
    {
        _versions[shard].Add(new Dictionary<long, long> { [index] = term });
        _wal!.RestartAt(new ShardId((ushort)shard), new LogIndex(index), new Term(term));
    }

    private void Release(int shard, long index)
    {
        // Only what is durable is ever covered by a checkpoint.
        while (_wal!.DurableIndex(new ShardId((ushort)shard)).Value < index)
        {
            _clock.AdvanceMs(20);
            Run();
        }

        _released[shard] = index;
        _wal.Release(new ShardId((ushort)shard), new LogIndex(index));
    }

    private void SaveHardState(int shard, long term, int vote)
    {
        var state = new HardState(new Term(term), new NodeId(vote));
        _hardStates[shard].Add(state);
        _wal!.SaveHardState(new ShardId((ushort)shard), state);
    }

    private void Idle()
    {
        Run();
        _clock.AdvanceMs(200);
        Run();
    }

    private void Run()
    {
        bool again = true;
        while (again)
        {
            again = _wal!.RunOnce() <= _clock.MonotonicMicroseconds;
            again |= _wal.Preparation.RunOnce() <= _clock.MonotonicMicroseconds;
        }

        if (options.SyncBeforeReply) return;
        for (int shard = 0; shard < Shards; shard++)
        {
            var id = new ShardId((ushort)shard);
            LogIndex durable = _wal!.DurableIndex(id);
            bool reached = durable == _wal.Log(id).LastIndex && durable > LogIndex.Zero;
            if (reached) NoteReported(shard, durable.Value, _wal.Log(id).TermAt(durable)!.Value.Value);
        }
    }
}
