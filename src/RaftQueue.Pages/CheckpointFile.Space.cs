namespace RaftQueue.Pages;

// How large the file may be. Kept are the newest checkpoint and the one before; while a further one is written, pages that changed
// again may have left memory too, which makes a fourth copy of the state in the worst case. Then the older checkpoint is given up
// before its time, and readers for peers of what is not kept otherwise are told that it is gone, rather than growing on.
public sealed partial class CheckpointFile
{
    private const int Copies = 3; // the newest, what else the one being written has, and what was evicted since
    private const int TableShare = 100; // a table has a node for each 256 pages, and few above
    private const int LeastTable = 4;
    private const int SlackExtents = 8;
    private const int RoomyShare = 90;

    private readonly Lock _superblocks = new(); // held while one is written, before _lock
    private long _writingSlots;
    private volatile bool _readFromOlder; // a store has not taken note of the newest checkpoint yet

    /// <summary>
    /// The slots that the file may have but for slack: three times the largest of the checkpoints that are kept, the one being written
    /// or fetched (also by an earlier process, as long as that is kept), and the state that is open.
    /// </summary>
    internal long BoundSlots
    {
        get
        {
            lock (_lock)
            {
                long largest = Math.Max(_writing ? _writingSlots : 0, WithTable(Math.Max(Slots.LargestStore, _fetchingPages)));
                foreach (CheckpointState state in Kept()) largest = Math.Max(largest, state.Slots);
                return Superblock.Places + (Copies * largest);
            }
        }
    }

    /// <summary>Up to here the file grows so that what is written stands in runs: below the bound by what makes it unlikely to be met.</summary>
    internal long RoomySlots => BoundSlots * RoomyShare / 100;

    /// <summary>
    /// The disk has more left than the log and one more checkpoint may need, so that the file may grow by an extent where it could do with what it
    /// has. Asks the file system: not for each page.
    /// </summary>
    internal bool HasRoomToSpare
    {
        get
        {
            long worth = (BoundSlots - Superblock.Places) / Copies * PageStore.PageSize;
            return _disk.FreeBytes(DirectoryOf(_path)) - Options.ExtentBytes >= Options.LogReserveBytes + worth;
        }
    }

    /// <summary>What the checkpoint loop may make the file grow to before space has to be made.</summary>
    internal long SoftBoundSlots => BoundSlots + (SlackExtents * ExtentSlots);

    /// <summary>What evicting pages may make it grow to: the checkpoint loop is ahead of it, so that the apply loop need not make space itself.</summary>
    internal long HardBoundSlots => BoundSlots + (2 * SlackExtents * ExtentSlots);

    private long ExtentSlots => Options.ExtentBytes / PageStore.PageSize;

    private static long WithTable(long pages) => pages == 0 ? 0 : pages + (pages / TableShare) + LeastTable;

    /// <summary>
    /// Gives up what nobody depends on: at first what is left of a transfer, which can be fetched again, and checkpoints that only readers keep, then, while one is being written, the older of the two
    /// that are kept. False when there is none. Any thread; not under any lock.
    /// </summary>
    internal bool TryMakeSpace()
    {
        if (GiveUpWhatIsLeft() || TryRevokeReaders(ofOlderToo: false)) return true;
        lock (_superblocks)
        {
            CheckpointState? older;
            lock (_lock)
            {
                if (!_writing || _newest is null || _older is null || _disposed || _readFromOlder) return false;
                older = _older;
            }

            // Nothing leads to its slots any more before one of them is written.
            _file.WriteAt((long)older.Place * PageStore.PageSize, new byte[PageStore.PageSize]);
            Slots.SyncFile();
            lock (_lock) _older = null;
        }

        TryRevokeReaders(ofOlderToo: true);
        lock (_lock) Slots.SetKept(KeptMaps());
        return true;
    }

    /// <summary>The slots of the state that is being written or taken over: it counts for the bound from now on.</summary>
    internal void IsWriting(long pages)
    {
        lock (_lock) _writingSlots = WithTable(pages);
    }

    /// <summary>The store that the newest checkpoint was written from reads by that one's table from now on, or no more.</summary>
    internal void StoreSettled() => _readFromOlder = false;

    private bool TryRevokeReaders(bool ofOlderToo)
    {
        List<CheckpointReader> revoked;
        lock (_lock) revoked = [.. _readers.Where(reader => reader.State != _newest && (ofOlderToo || reader.State != _older))];
        if (revoked.Count == 0) return false;

        // Until it is revoked a reader counts for what is kept: it reads its slots, and mends them.
        foreach (CheckpointReader reader in revoked) reader.Revoke();
        lock (_lock)
        {
            foreach (CheckpointReader reader in revoked) _readers.Remove(reader);
            Slots.SetKept(KeptMaps());
        }

        return true;
    }

    private IEnumerable<CheckpointState> Kept()
    {
        if (_remains is not null) yield return _remains;
        if (_newest is not null) yield return _newest;
        if (_older is not null) yield return _older;
    }
}
