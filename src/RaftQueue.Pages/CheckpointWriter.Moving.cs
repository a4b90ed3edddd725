namespace RaftQueue.Pages;

// After much was freed the file is far larger than the state, and what is left stands all over it. Then each checkpoint also moves
// what stands high, changed or not, to low slots as far as any are free, so that the end of the file can be given back. The low ones
// are free at the latest when two checkpoints of the smaller state are kept; what is moved is less than half of what was freed.
public sealed partial class CheckpointWriter
{
    private const int SparseExtents = 4;

    private Queue<uint>? _leavesToMove;
    private uint _highSlots; // what stands here or above should move
    private bool _isMoved;

    /// <summary>One leaf's worth. True when there may be more.</summary>
    private bool MoveSome()
    {
        _leavesToMove ??= PlanMoves();
        if (_isMoved || !_leavesToMove.TryDequeue(out uint firstPage)) return false;
        return TryMove(firstPage);
    }

    /// <summary>Nothing, unless the file is larger than three times the state by some extents.</summary>
    private Queue<uint> PlanMoves()
    {
        var leaves = new Queue<uint>();
        long extent = _options.ExtentBytes / PageStore.PageSize;
        long live = _map.Count();
        if (_root is null || _file.Slots.Slots <= (3 * live) + (SparseExtents * extent)) return leaves;
        _highSlots = (uint)((3 * live) + extent);
        for (int i = _root.NextUsed(0); i < TableNode.FanOut; i = _root.NextUsed(i + 1))
        {
            TableNode middle = _root.Child(i)!;
            for (int j = middle.NextUsed(0); j < TableNode.FanOut; j = middle.NextUsed(j + 1))
            {
                if (StandsHigh(_root[i], middle[j], middle.Child(j)!)) leaves.Enqueue((uint)(((i * TableNode.FanOut) + j) * TableNode.FanOut));
            }
        }

        return leaves;
    }

    private bool StandsHigh(TableEntry above, TableEntry own, TableNode leaf)
    {
        bool high = above.Slot >= _highSlots || own.Slot >= _highSlots;
        for (int i = leaf.NextUsed(0); i < TableNode.FanOut && !high; i = leaf.NextUsed(i + 1)) high = leaf[i].Slot >= _highSlots;
        return high;
    }

    /// <summary>Moves what stands high in a leaf; the leaf and the nodes above move by being written. False: no space, it stays.</summary>
    private bool TryMove(uint firstPage)
    {
        if (!TryOpenPath(firstPage)) return false;
        TableNode leaf = _open[0]!;
        for (int i = leaf.NextUsed(0); i < TableNode.FanOut; i = leaf.NextUsed(i + 1))
        {
            // What changed stands where the store that evicts looks for it.
            if (leaf[i].Slot < _highSlots || _frozen.Changed.Contains(firstPage + (uint)i)) continue;
            if (!_out.TryNext(out uint slot, out Span<byte> block)) return false;
            if (slot >= _highSlots)
            {
                _out.TakeBack();
                _isMoved = true; // there are no more low ones
                return true;
            }

            if (IsSyncDue) _file.Sync();
            if (_file.TryReadPage(leaf[i], block))
            {
                Replace(leaf, i, leaf[i] with { Slot = slot }, null);
            }
            else
            {
                _out.TakeBack(); // damaged: whoever needs it says so
            }
        }

        return true;
    }
}
