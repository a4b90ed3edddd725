using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// Writing: the pages as they come, then the table above them, then the superblock.
public sealed partial class CheckpointAdopter
{
    private readonly SlotMap _map = new();
    private IEnumerator<bool>? _steps;
    private TableEntry _rootEntry;
    private TableNode? _root;
    private long _pagesInTable;

    /// <summary>
    /// Writes a bounded part of the table. True while there is more; otherwise see <see cref="Outcome"/>: Ready, Damaged or
    /// DiskFull. Only once <see cref="HasAll"/>. A failing fsync throws, and the process must stop.
    /// </summary>
    public bool AssembleNext()
    {
        if (_steps is null)
        {
            Invariant.That(HasAll, "a table is written when everything below it is here");
            _steps = Assemble().GetEnumerator();
        }

        if (Outcome == CheckpointOutcome.Writing && _steps.MoveNext() && Outcome == CheckpointOutcome.Writing)
        {
            SyncWhenDue();
            return true;
        }

        if (Outcome != CheckpointOutcome.Writing) return false;
        if (_pagesInTable != _pages)
        {
            Outcome = CheckpointOutcome.Damaged;
            return false;
        }

        if (!TryFlush()) return false;
        _file.Sync();
        Outcome = CheckpointOutcome.Ready;
        return false;
    }

    /// <summary>
    /// Reads the root page as it is going to be, so that it can be judged before the commit. False when it is not as it was
    /// written. Only when Ready.
    /// </summary>
    public bool TryReadRoot(Span<byte> page)
    {
        Invariant.That(Outcome == CheckpointOutcome.Ready, "what is written can be read");
        TableNode leaf = _root!.Child(0)!.Child(0)!;
        return PageRun.Read(_file.Disk, leaf, (int)PageNumber.Root.Value, page[..PageStore.PageSize]) == 1;
    }

    /// <summary>
    /// Makes it the newest checkpoint of the file, and the only one: those before may be what had to be replaced.
    /// </summary>
    public void Commit()
    {
        Invariant.That(Outcome == CheckpointOutcome.Ready, "a checkpoint is committed when all of it is durable");
        _file.Commit(Info!, _rootEntry, _root!, _map, _pages);
        Outcome = CheckpointOutcome.Committed;
    }

    /// <summary>Gives up; what was fetched is there for the next one, also of another process, as long as its space is not needed.</summary>
    public void Abort()
    {
        if (Outcome is CheckpointOutcome.Committed or CheckpointOutcome.Aborted) return;
        Outcome = CheckpointOutcome.Aborted;
        _file.AdopterEnded();
    }

    public void Dispose() => Abort();

    /// <summary>False, with the outcome set, when there is no space.</summary>
    private bool TryPut(ReadOnlySpan<byte> content, out uint slot)
    {
        if (!_out.TryNext(out slot, out Span<byte> block))
        {
            Outcome = CheckpointOutcome.DiskFull;
            return false;
        }

        content.CopyTo(block);
        SyncWhenDue();
        return Outcome == CheckpointOutcome.Writing;
    }

    /// <summary>What was fetched of a page before is of no use any more: its slot is free once it is not to be written any more.</summary>
    private bool TryLetGo(uint page)
    {
        if (_fetched.Remove(page) is not { IsEmpty: false } old) return true;
        if (!TryFlush()) return false;

        _file.Slots.Release(null, old.Slot, SlotUse.Checkpoint);
        return true;
    }

    private void SyncWhenDue()
    {
        if (_file.Slots.UnsyncedBytes < _file.Options.SyncBytes - _file.Options.SliceBytes) return;
        if (TryFlush()) _file.Sync();
    }

    /// <summary>All that was taken is in the file. False, with the outcome set, when there is no space.</summary>
    private bool TryFlush()
    {
        if (_out.TryFlush() && _left.TryFlush()) return true;
        Outcome = CheckpointOutcome.DiskFull;
        return false;
    }

    private IEnumerable<bool> Assemble()
    {
        if (IsHeld(_own.RootEntry, _rootHash))
        {
            (_rootEntry, _root) = (_own.RootEntry, _own.Root!);
            _map.Add(_rootEntry.Slot);
            for (int i = _root.NextUsed(0); i < TableNode.FanOut; i = _root.NextUsed(i + 1))
            {
                foreach (bool step in KeepMiddle(_root[i], _root.Child(i)!)) yield return step;
            }

            yield break;
        }

        RemoteNode remote = _nodes[(PageName.RootLevel, 0)];
        _root = TableNode.Empty(TableNode.RootLevel);
        for (int i = 0; i < TableNode.FanOut; i++)
        {
            if (remote[i] == 0) continue;
            TableNode? own = _own.Root?.Child(i);
            if (own is not null && IsHeld(_own.Root![i], remote[i]))
            {
                foreach (bool step in KeepMiddle(_own.Root[i], own)) yield return step;
                _root.Set(i, _own.Root[i], own);
                continue;
            }

            TableNode middle = TableNode.Empty(1);
            foreach (bool step in AssembleMiddle(middle, (uint)i, own)) yield return step;
            _root.Set(i, Put(middle), middle);
        }

        _rootEntry = Put(_root);
    }

    private IEnumerable<bool> AssembleMiddle(TableNode middle, uint number, TableNode? own)
    {
        RemoteNode remote = _nodes[(2, number)];
        for (int i = 0; i < TableNode.FanOut; i++)
        {
            if (remote[i] == 0) continue;
            TableNode? ownLeaf = own?.Child(i);
            if (ownLeaf is not null && IsHeld(own![i], remote[i]))
            {
                KeepLeaf(own[i], ownLeaf);
                middle.Set(i, own[i], ownLeaf);
            }
            else
            {
                TableNode leaf = AssembleLeaf((number * TableNode.FanOut) + (uint)i, ownLeaf);
                middle.Set(i, Put(leaf), leaf);
            }

            yield return true;
        }
    }

    private TableNode AssembleLeaf(uint number, TableNode? own)
    {
        RemoteNode remote = _nodes[(1, number)];
        TableNode leaf = TableNode.Empty(0);
        for (int i = 0; i < TableNode.FanOut; i++)
        {
            if (remote[i] == 0) continue;
            TableEntry ownEntry = own?[i] ?? default;
            TableEntry entry = IsHeld(ownEntry, remote[i]) ? ownEntry : _fetched[(number * TableNode.FanOut) + (uint)i];
#if PLANTED_BUGS
            bool isHere = PlantedBugs.Has(PlantedBug.PagesOfAnotherIndex) || IsHeld(entry, remote[i]);
            Invariant.That(isHere, "every page is here when the table is written");
#else
            Invariant.That(IsHeld(entry, remote[i]), "every page is here when the table is written");
#endif
            leaf.Set(i, entry);
            Use(entry.Slot);
            _pagesInTable++;
        }

        return leaf;
    }

    private IEnumerable<bool> KeepMiddle(TableEntry entry, TableNode middle)
    {
        Use(entry.Slot);
        for (int i = middle.NextUsed(0); i < TableNode.FanOut; i = middle.NextUsed(i + 1))
        {
            KeepLeaf(middle[i], middle.Child(i)!);
            yield return true;
        }
    }

    private void KeepLeaf(in TableEntry entry, TableNode leaf)
    {
        Use(entry.Slot);
        for (int i = leaf.NextUsed(0); i < TableNode.FanOut; i = leaf.NextUsed(i + 1))
        {
            Use(leaf[i].Slot);
            _pagesInTable++;
        }
    }

    /// <summary>Writes a node and tells where it stands; what no space is left for ends everything.</summary>
    private TableEntry Put(TableNode node)
    {
        if (!TryPut(node.Bytes, out uint slot)) return default;
        Use(slot);
        return new TableEntry(slot, node.Crc(), node.Hash());
    }

    private void Use(uint slot) => Invariant.That(_map.Add(slot), "no two parts of a checkpoint stand in one slot");
}
