using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Writes what a freeze changed: the pages, then the table nodes above them, each into a slot that neither kept checkpoint
/// nor any reader uses; nodes with no change below stay where they are. Runs on the checkpoint loop, beside the apply
/// loop. Disposing an unfinished one aborts it.
/// </summary>
public sealed partial class CheckpointWriter : IDisposable
{
    private const int MaxVisited = 16 * 1024; // freed pages write nothing but cost a little
    private readonly CheckpointFile _file;
    private readonly FrozenPages _frozen;
    private readonly SlotWriter _out;
    private readonly SlotMap _map;
    private readonly CheckpointOptions _options;
    private readonly List<(uint Page, TableEntry Place)> _written = []; // pages of this slice
    private readonly TableNode?[] _open = new TableNode?[TableNode.RootLevel + 1]; // the path being changed, by level
    private readonly int[] _openIndex = new int[TableNode.RootLevel + 1]; // where it stands in its parent
    private TableEntry _rootEntry;
    private TableNode? _root;
    private uint _next; // no page below has to be written any more

    internal CheckpointWriter(CheckpointFile file, FrozenPages frozen, SlotWriter output, SlotMap map, TableEntry rootEntry)
    {
        _file = file;
        _frozen = frozen;
        _out = output;
        _map = map;
        _options = file.Options;
        _rootEntry = rootEntry;
        _root = frozen.BaseTable;
    }

    public CheckpointInfo Info => _frozen.Info;

    public CheckpointOutcome Outcome { get; private set; } = CheckpointOutcome.Writing;

    /// <summary>
    /// The hash of the whole state, the same on every node with the same pages. Known from
    /// <see cref="CheckpointOutcome.Ready"/> on.
    /// </summary>
    public ulong RootHash => _rootEntry.Hash;

    /// <summary>Blocks of 4 KiB written so far.</summary>
    public long BlocksWritten => _out.BlocksPut;

    /// <summary>
    /// One bounded slice. True while there is more; otherwise see <see cref="Outcome"/>: Ready or DiskFull. A failing fsync
    /// throws, and the process must stop.
    /// </summary>
    public bool RunOnce()
    {
        Invariant.That(Outcome == CheckpointOutcome.Writing, "only an unfinished checkpoint is written on");
        long until = _out.BlocksPut + (_options.SliceBytes / PageStore.PageSize);
        int visited = 0;
        while (_frozen.NextFrom(_next, out bool isFreed) is { } page)
        {
            if (_out.BlocksPut >= until || ++visited > MaxVisited) return TryEndSlice() || EndFull();
            if (!TryPutPage(page, isFreed)) return EndFull();
            _next = page + 1;
        }

        if (_leavesToMove is null && (!TryClose(TableNode.RootLevel) || !TryEndSlice())) return EndFull();
        if (MoveSome()) return TryEndSlice() || EndFull();
        if (!TryClose(TableNode.RootLevel) || !TryEndSlice()) return EndFull();
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.SuperblockBeforePages))
        {
            _file.WriteSuperblockAhead(_frozen, _rootEntry, _map);
            Outcome = CheckpointOutcome.Ready;
            return false;
        }
#endif
        _file.Sync();
        Outcome = CheckpointOutcome.Ready;
        return false;
    }

    /// <summary>
    /// Makes it the newest checkpoint; the older of the two before is gone. Only after the log is durable through
    /// <see cref="CheckpointInfo.Index"/> on this node.
    /// </summary>
    public void Commit()
    {
        Invariant.That(Outcome == CheckpointOutcome.Ready, "a checkpoint is committed when all of it is durable");
        Invariant.That(_root is not null, "a state has a root page");
        _file.Commit(_frozen, _rootEntry, _root, _map, _out.BlocksPut);
        _frozen.Commit(_root);
        Outcome = CheckpointOutcome.Committed;
    }

    /// <summary>Gives it up; the changes are in the next freeze again.</summary>
    public void Abort() => End(CheckpointOutcome.Aborted);

    public void Dispose()
    {
        if (Outcome is CheckpointOutcome.Writing or CheckpointOutcome.Ready) Abort();
    }

    private bool TryPutPage(uint page, bool isFreed)
    {
        if (!TryOpenPath(page)) return false;
        TableEntry place = default;
        if (isFreed) _frozen.Pass(page);
        else if (!TryPlace(page, out place)) return false;
        Replace(_open[0]!, (int)(page % TableNode.FanOut), place, null);
        return true;
    }

    /// <summary>Where the page stands: the place it was evicted to, else a new one.</summary>
    private bool TryPlace(uint page, out TableEntry place)
    {
        place = _frozen.PlaceOf(page);
        if (!place.IsEmpty)
        {
            _frozen.Pass(page);
            return true;
        }

        if (!_out.TryNext(out uint slot, out Span<byte> block)) return false;
        if (_frozen.TryCopy(page, block, out place))
        {
            place = new TableEntry(slot, Crc32C.Compute(block), PageHash.OfPage(block));
            _written.Add((page, place));
        }
        else
        {
            _out.TakeBack();
        }

        return true;
    }

    /// <summary>Puts the pages' ancestors in place to be changed, closing those that are done.</summary>
    private bool TryOpenPath(uint page)
    {
        int leaf = (int)(page >> 8) & 0xFF;
        int middle = (int)(page >> 16);
        bool sameMiddle = _open[1] is not null && _openIndex[1] == middle;
        if (sameMiddle && _open[0] is not null && _openIndex[0] == leaf) return true;
        if (!TryClose(sameMiddle ? 0 : 1)) return false;
        _open[2] ??= _root?.Clone() ?? TableNode.Empty(TableNode.RootLevel);
        if (!sameMiddle) Open(1, middle);
        Open(0, leaf);
        return true;
    }

    private void Open(int level, int index)
    {
        _open[level] = _open[level + 1]!.Child(index)?.Clone() ?? TableNode.Empty(level);
        _openIndex[level] = index;
    }

    /// <summary>Writes the open nodes from the leaf up to <paramref name="highest"/> and enters each in its parent.</summary>
    private bool TryClose(int highest)
    {
        for (int level = 0; level <= highest; level++)
        {
            if (_open[level] is not { } node) continue;
            TableEntry entry = default;
            if (!node.IsEmpty)
            {
                if (!_out.TryNext(level + 1, out uint slot, out Span<byte> block)) return false;
                node.Bytes.CopyTo(block);
                entry = new TableEntry(slot, node.Crc(), node.Hash());
            }

            if (level == TableNode.RootLevel) ReplaceRoot(entry, node);
            else Replace(_open[level + 1]!, _openIndex[level], entry, entry.IsEmpty ? null : node);
            _open[level] = null;
        }

        return true;
    }

    private void Replace(TableNode parent, int index, TableEntry entry, TableNode? child)
    {
        TableEntry old = parent[index];
        if (!old.IsEmpty) _map.Remove(old.Slot);
        if (!entry.IsEmpty) _map.Add(entry.Slot);
        parent.Set(index, entry, child);
    }

    private void ReplaceRoot(TableEntry entry, TableNode root)
    {
        if (!_rootEntry.IsEmpty) _map.Remove(_rootEntry.Slot);
        _map.Add(entry.Slot);
        _rootEntry = entry;
        _root = root;
    }

    /// <summary>What the slice wrote is in the file, so that its pages may be evicted. False: no space.</summary>
    private bool TryEndSlice()
    {
        if (!_out.TryFlush()) return false;
        _frozen.Publish(_written);
        _written.Clear();
        if (IsSyncDue) _file.Sync();
        return true;
    }

    private bool IsSyncDue => _file.Slots.UnsyncedBytes + (_options.SliceBytes * 2L) > _options.SyncBytes;

    private bool EndFull()
    {
        End(CheckpointOutcome.DiskFull);
        return false;
    }

    private void End(CheckpointOutcome outcome)
    {
        Invariant.That(Outcome is CheckpointOutcome.Writing or CheckpointOutcome.Ready, "a checkpoint ends once");
        Outcome = outcome;
        _file.WriterEnded();
        _frozen.Abort();
    }
}
