using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Runtime;

/// <summary>
/// What one shard starts from: the newest checkpoint that is whole, and the log behind it. Consensus drops a log that does
/// not go on where the checkpoint ends, and then votes only when a peer has brought it back to where it was.
/// </summary>
internal sealed class ShardOpening
{
    private readonly ShardId _shard;
    private readonly WriteAheadLog _wal;
    private readonly CheckpointFiles _files;
    private readonly INodeLog _log;

    private ShardOpening(ShardId shard, WriteAheadLog wal, CheckpointFiles files, INodeLog log)
    {
        _shard = shard;
        _wal = wal;
        _files = files;
        _log = log;
    }

    public ShardState State { get; private set; } = null!;

    public RaftStart Start { get; private set; } = null!;

    public long LastStampMs { get; private set; }

    /// <summary>The membership that the cluster was to begin with, when its first entry is not here yet.</summary>
    public MembershipRecord? Bootstrap { get; private set; }

    /// <summary>Where the log ended of a shard whose checkpoints are of no use, so that its state begins blank; else zero.</summary>
    public LogIndex HeldUpTo { get; private set; }

    /// <summary>Nothing was ever stored.</summary>
    public bool IsBlank { get; private set; }

    public static ShardOpening Open(ShardId shard, WriteAheadLog wal, CheckpointFiles files, INodeLog log)
    {
        var opening = new ShardOpening(shard, wal, files, log);
        opening.Run();
        return opening;
    }

    /// <summary>The state of a checkpoint file's newest checkpoint, with what it is a checkpoint of. Reads few of its pages.</summary>
    public static (ShardState State, CheckpointInfo Info) Load(CheckpointFile file, PageStoreOptions options)
    {
        PageStore pages = file.Load(options);
        CheckpointInfo info = file.Newest!;
        bool decoded = MembershipRecord.TryDecode(info.Membership, out MembershipRecord? membership);
        Invariant.That(decoded, "a checkpoint holds the membership of its index");
        try
        {
            JobStore store = JobStore.Open(pages);
            Invariant.That(store.AppliedIndex == info.Index && store.StateHash == info.StateHash, "a checkpoint is what it says");
            _ = store.NextDueMs; // the loops ask for it before they run: if its page is damaged, now is the time to find out
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.AppliedIndexApart)) store.ForgetLastIndex();
#endif
            return (new ShardState(pages, store, membership), info);
        }
        catch
        {
            pages.Dispose();
            throw;
        }
    }

    private static ShardState Blank(ShardId shard, CheckpointFile file, PageStoreOptions options)
    {
        PageStore pages = PageStore.Create(options, file);
        return new ShardState(pages, JobStore.Create(pages, shard), null);
    }

    private void Run()
    {
        RecoveredShard recovered = _wal.Recovered(_shard);
        if (recovered.DamageReport is { } report) _log.Error($"shard {_shard}: the log is damaged: {report}");
        if (recovered.HardState is null)
        {
            _log.Error(
                $"shard {_shard}: both copies of the hard state are damaged: what this node promised is unknown, so it takes no part."
                + " Stop it, move its data directory away and start it with an empty one: it joins again by itself");
        }

        _files.Disk.CreateDirectory(_files.DirectoryOf(_shard));
        CheckpointInfo? info = LoadState();
        LogIndex checkpointIndex = info?.Index ?? LogIndex.Zero;
        IStoredLog log = _wal.Log(_shard);
        LastStampMs = LastStamp(log, info);
        bool heldMore = _files.NeedsRepair(_shard) || log.FirstIndex > LogIndex.Zero.Next || recovered.VoteFloor is not null;
        if (info is null && heldMore) HeldUpTo = LogIndex.Max(log.LastIndex, recovered.VoteFloor?.Index ?? LogIndex.Zero);
        IsBlank = info is null && log.LastIndex == LogIndex.Zero && recovered.VoteFloor is null;
        if (IsBlank) Bootstrap = BootstrapFile.Read(_files, _shard);
        Start = new RaftStart
        {
            HardState = recovered.HardState,
            CheckpointIndex = checkpointIndex,
            CheckpointTerm = info?.Term ?? Term.Zero,
            CheckpointMembership = State.Membership,
            VoteFloor = recovered.VoteFloor,
            CommitHint = checkpointIndex,
        };
    }

    private CheckpointInfo? LoadState()
    {
        CheckpointFile file = _files.Open(_shard);
        PageStoreOptions options = _files.StoreOptions(_shard);
        if (StateMark.Repair.IsSet(_files, _shard))
        {
            _log.Error($"shard {_shard}: what is stored here is not the cluster's state; it comes from the log or a peer");
            file.Disown();
            _files.SetNeedsRepair(_shard);
        }
        else
        {
            if (_files.GoBack(_shard) is { } again)
                _log.Warning($"shard {_shard}: the state was in doubt: the log is applied again from {file.Newest?.Index ?? LogIndex.Zero} (agreed on: {again})");
            if (StateMark.Damaged.IsSet(_files, _shard)) VerifyAll(file);
            CheckpointInfo? info = TryLoad(file, options);
            Tell(file);
            if (info is not null) return info;
            if (file.Damage.Count > 0)
            {
                _log.Error($"shard {_shard}: no checkpoint is whole; what is damaged comes from a peer");
                file.Disown();
                _files.SetNeedsRepair(_shard);
            }
        }

        State = Blank(_shard, file, options);
        return null;
    }

    private CheckpointInfo? TryLoad(CheckpointFile file, PageStoreOptions options)
    {
        while (file.Newest is not null)
        {
            try
            {
                (State, CheckpointInfo info) = Load(file, options);
                return info;
            }
            catch (CheckpointDamagedException)
            {
                // One of the few pages that opening reads. Now all of them are read, and what is damaged is dropped.
                VerifyAll(file);
            }
        }

        return null;
    }

    /// <summary>Reads every page and drops the checkpoints that have a damaged one.</summary>
    private void VerifyAll(CheckpointFile file)
    {
        _log.Warning($"shard {_shard}: a page could not be read before: every page is read now");
        try
        {
            if (file.Newest is not null) file.Verify();
            if (file.Damage.Count == 0) StateMark.Damaged.Clear(_files, _shard);
        }
        catch (CheckpointDamagedException exception)
        {
            _log.Error($"shard {_shard}: none is whole", exception);
        }

        _files.AllRead(_shard);
    }

    private void Tell(CheckpointFile file)
    {
        foreach (CheckpointDamage damage in file.Damage) _log.Error($"shard {_shard}: checkpoint damaged: {damage}");
    }

    private static long LastStamp(IStoredLog log, CheckpointInfo? info)
    {
        var last = new List<LogEntry>();
        if (log.LastIndex > LogIndex.Zero && log.Read(log.LastIndex, log.LastIndex, long.MaxValue, last) == 1)
        {
            return last[0].Header.TimestampMs;
        }

        return info?.TimestampMs ?? 0;
    }
}
