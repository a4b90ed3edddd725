using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// The copy-on-write half: which pages changed, and which frames a checkpoint being written still reads.
public sealed unsafe partial class PageStore
{
    private readonly List<(uint Page, uint Frame)> _left = []; // frames that only the frozen pages still use
    private PageSet _dirty = new();
    private TableNode? _baseTable; // what the pages that are not dirty are the same as
    private FrozenPages? _frozen;
    private int _sweepLeftAt = SweepStart;

    private const int SweepStart = 256;

    /// <summary>Pages changed since the last freeze.</summary>
    public int DirtyPages => _dirty.Count;

    /// <summary>Whether the last frozen pages are still being written: no other freeze before that ends.</summary>
    public bool IsFrozen
    {
        get
        {
            Settle();
            return _frozen is not null;
        }
    }

    /// <summary>
    /// The state as it is now, for a checkpoint: later writes copy the page first. Costs time in proportion to the pages
    /// changed since the last freeze. No handle may be alive and no other freeze unfinished.
    /// </summary>
    public FrozenPages Freeze(CheckpointInfo info)
    {
        Invariant.That(_pins == 0, "no page is pinned across a freeze");
        Invariant.That(info.Membership.Length <= CheckpointInfo.MaxMembershipBytes, "a membership fits the superblock");
        Settle();
        Invariant.That(_frozen is null, "one checkpoint is written at a time");
        uint[] pages = new uint[_dirty.Count];
        uint[] frames = new uint[pages.Length];
        int count = 0;
        for (uint? page = _dirty.NextFrom(0); page is { } number; page = _dirty.NextFrom(number + 1))
        {
            ulong entry = _entry[number];
            bool allocated = (entry & PageEntries.Allocated) != 0;
            pages[count] = number;
            frames[count++] = allocated ? (uint)entry : BufferPool.NoFrame;
            _entry[number] = allocated ? (uint)entry | PageEntries.Allocated | PageEntries.Frozen : 0;
        }

        Invariant.That(count == pages.Length, "a set has as many members as it counts");
        _dirty = new PageSet();
        _frozen = new FrozenPages(info, pages, frames, _pool, _baseTable, (int)AllocatedPages);
        return _frozen;
    }

    private bool IsStillFrozen(uint page) =>
        _frozen is { State: FrozenState.Open } frozen && page > frozen.CopiedThrough;

    /// <summary>The page's entry stops using its frame: free at once, or when the checkpoint has read it.</summary>
    private void LeaveFrame(uint page, ulong entry)
    {
        if ((entry & PageEntries.Frozen) != 0 && IsStillFrozen(page)) _left.Add((page, (uint)entry));
        else _pool.Return((uint)entry);
    }

    private uint TakeFrame()
    {
        if (_pool.IsExhausted && _left.Count >= _sweepLeftAt) SweepLeftFrames();
        return _pool.Take();
    }

    /// <summary>Takes back what the writer has copied; the threshold keeps the cost proportional to the frames left.</summary>
    private void SweepLeftFrames()
    {
        Settle();
        if (_frozen is { } frozen)
        {
            uint copied = frozen.CopiedThrough;
            int kept = 0;
            for (int i = 0; i < _left.Count; i++)
            {
                if (_left[i].Page <= copied) _pool.Return(_left[i].Frame);
                else _left[kept++] = _left[i];
            }

            _left.RemoveRange(kept, _left.Count - kept);
        }

        _sweepLeftAt = Math.Max(SweepStart, _left.Count * 2);
    }

    /// <summary>Takes everything back from a finished freeze; an aborted one's changes are dirty again.</summary>
    private void Settle()
    {
        if (_frozen is not { } frozen || frozen.State == FrozenState.Open) return;
        bool aborted = frozen.State == FrozenState.Aborted;
        foreach (uint page in frozen.Pages)
        {
            _entry[page] &= ~PageEntries.Frozen;
            if (!aborted) continue;
            MarkDirty(page);
            _entry[page] |= PageEntries.Dirty;
        }

        foreach ((uint _, uint frame) in _left) _pool.Return(frame);
        _left.Clear();
        _sweepLeftAt = SweepStart;
        if (!aborted) _baseTable = frozen.CommittedTable;
        _frozen = null;
    }
}
