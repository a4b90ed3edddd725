using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// Taking over another node's checkpoint.
public sealed partial class CheckpointFile
{
    // What is left of a checkpoint whose table is damaged; kept as long as nothing else is.
    private CheckpointState? _remains;
    private TableNode? _remainsTable;
    private bool _isMarked; // checkpoint loop
    private long _fetchingPages; // of the checkpoint that is, or was, being taken over, until nothing of it is left

    /// <summary>
    /// Begins to take over another node's checkpoint on top of this file's newest one, or of what is left of a damaged one.
    /// </summary>
    /// <param name="verifyOwn">
    /// Read every page of it before it is used again: when the reason is damage. What is left of a damaged one is always read.
    /// </param>
    public CheckpointAdopter BeginAdopt(bool verifyOwn)
    {
        MarkFetching();
        lock (_lock)
        {
            Invariant.That(!_disposed && !_writing, "one checkpoint is written at a time");
            if (_newest is null) KeepRemains();
            OwnPages own = _newest is not null
                ? new OwnPages(_file, _newest.Superblock.Root, _newestTable, verifyOwn)
                : new OwnPages(_file, _remains?.Superblock.Root ?? default, _remainsTable, verify: true);
            _writing = true;
            IsWriting(0);
            return new CheckpointAdopter(this, own, new LeftPages(_file, Slots), NewWriter());
        }
    }

    /// <summary>
    /// What stands here is damaged, or not the state that this shard should have: nothing is loaded or given to others from it any
    /// more. Its pages serve <see cref="BeginAdopt"/>, until there is another checkpoint. Before anything is loaded.
    /// </summary>
    public void Disown()
    {
        lock (_lock)
        {
            Invariant.That(!_writing, "a checkpoint is disowned before the next is written");
            _remains = _newest;
            _remainsTable = _newestTable;
            _newest = null;
            _newestTable = null;
            _older = null;
            KeepRemains();
        }
    }

    internal void Commit(CheckpointInfo info, TableEntry rootEntry, TableNode root, SlotMap map, long pages)
    {
        lock (_superblocks)
        {
            int place = NextPlace;
            var superblock = new Superblock(info, _lastSequence + 1, rootEntry, (uint)pages, map.End);

            // Should the new one ever turn out damaged, a peer is asked: the one before may be why it was fetched.
            WriteSuperblock(superblock, place, erasesOther: true);
            lock (_lock)
            {
                // The state that the apply loop still has stands on those before, until it is closed.
                Slots.HoldForStores([.. KeptMaps()]);
                _older = null;
                _remains = null;
                _remainsTable = null;
                _newest = new CheckpointState(superblock, place, map);
                _newestTable = root;
                _lastSequence++;
                _writing = false;
                Slots.EndCheckpoint(KeptMaps(), committed: null);
            }
        }

        ForgetWhatIsLeft();
    }

    /// <summary>The file beside a checkpoint file that stands there from the beginning of a transfer until the next checkpoint.</summary>
    internal static string FetchingPath(string path) => path + ".fetching";

    /// <summary>Nothing is taken over after all, or not now: what was fetched stays where it is.</summary>
    internal void AdopterEnded()
    {
        lock (_lock)
        {
            _writing = false;
            Slots.EndTransfer(KeptMaps());
        }
    }

    /// <summary>So many pages are taken over: what a further process finds of them is as good as a state of that size. Checkpoint loop or network.</summary>
    internal void IsFetching(long pages)
    {
        lock (_lock)
        {
            if (pages == _fetchingPages) return;
            _fetchingPages = pages;
        }

        if (_isMarked) FetchingMark.Write(_disk, FetchingPath(_path), pages);
    }

    /// <summary>
    /// Only so much is known of a transfer that a process did not live to finish. Without the mark, and with a checkpoint of its own,
    /// free slots hold at most what was evicted, which nobody wants.
    /// </summary>
    private void HoldWhatIsLeft()
    {
        _isMarked = _disk.FileExists(FetchingPath(_path));
        if (_isMarked) _fetchingPages = FetchingMark.Read(_disk, FetchingPath(_path));
        if (_isMarked || _newest is null) Slots.HoldFree();
    }

    private void MarkFetching()
    {
        if (_isMarked || !FetchingMark.Write(_disk, FetchingPath(_path), 0)) return;
        _disk.SyncDirectory(DirectoryOf(_path));
        _isMarked = true;
    }

    /// <summary>Space is needed: what is left of a transfer is given up. False when there is nothing.</summary>
    private bool GiveUpWhatIsLeft()
    {
        if (!Slots.GiveUpLeft()) return false;
        lock (_lock)
        {
            if (!_writing) _fetchingPages = 0;
        }

        return true;
    }

    /// <summary>There is a newer checkpoint: what is left of a transfer is behind it. Checkpoint loop.</summary>
    private void ForgetWhatIsLeft()
    {
        GiveUpWhatIsLeft();
        lock (_lock) _fetchingPages = 0;
        if (!_isMarked) return;
        // Should a power loss bring the mark back, free slots are read once for nothing.
        _disk.Delete(FetchingPath(_path));
        _isMarked = false;
    }

    /// <summary>Where the next superblock goes: not over what would be the only one if that write is torn.</summary>
    private int NextPlace => Locked(_ => (_newest ?? _remains) is { } kept ? 1 - kept.Place : 0);

    private void WriteSuperblock(Superblock superblock, int place, bool erasesOther)
    {
        _file.WriteAt((long)place * PageStore.PageSize, superblock.Encode());
        Slots.SyncFile();
        if (!erasesOther) return;
        _file.WriteAt((1L - place) * PageStore.PageSize, new byte[PageStore.PageSize]);
        Slots.SyncFile();
    }

    private void KeepRemains()
    {
        if (_remains is null) FindRemains();
        Slots.SetKept(KeptMaps());
    }

    private void FindRemains()
    {
        byte[] block = new byte[PageStore.PageSize];
        for (int place = 0; place < Superblock.Places; place++)
        {
            int read = SlotRead.TryReadAt(_file, (long)place * PageStore.PageSize, block);
            if (Superblock.TryDecode(block.AsSpan(0, read)) is not { } superblock) continue;
            if (_remains is not null && _remains.Superblock.Sequence > superblock.Sequence) continue;
            (TableNode? root, SlotMap map) = TableReader.Read(_file, superblock, _ => { });
            if (root is null) continue;
            _remains = new CheckpointState(superblock, place, map);
            _remainsTable = root;
        }
    }
}
