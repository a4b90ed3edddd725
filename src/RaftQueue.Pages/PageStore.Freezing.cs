using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// The copy-on-write half: which pages changed, and what a checkpoint being written still reads.
public sealed unsafe partial class PageStore
{
    private PageSet _dirty = new();  // pages that exist and changed since the last freeze
    private PageSet _freed = new();  // pages that were freed since and do not exist
    private PagePlaces _saved = new(); // where those of _dirty stand that were written to the file and not changed since
    private TableNode? _baseTable;   // where all other pages stand
    private FrozenPages? _frozen;

    /// <summary>Pages changed since the last freeze.</summary>
    public int DirtyPages => _dirty.Count + _freed.Count;

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
    /// The state as it is now, for a checkpoint: later writes copy the page first. Costs the same however many pages there are
    /// and however many changed. No handle may be alive and no other freeze unfinished.
    /// </summary>
    public FrozenPages Freeze(CheckpointInfo info)
    {
        Invariant.That(_pins == 0, "no page is pinned across a freeze");
        Invariant.That(info.Membership.Length <= CheckpointInfo.MaxMembershipBytes, "a membership fits the superblock");
        Settle();
        Invariant.That(_frozen is null, "one checkpoint is written at a time");
        _frozen = new FrozenPages(
            info, (_dirty, _freed, _saved), (_entries, _pool), (_file, _slots, _baseTable), (int)AllocatedPages);
        _dirty = new PageSet();
        _freed = new PageSet();
        _saved = new PagePlaces();
        if (_slots is not null) _file!.Slots.FreezeEvicted(_slots);
        return _frozen;
    }

    /// <summary>The page's entry stops using its frame: free at once, or when the checkpoint has read it.</summary>
    private void LeaveFrame(uint page, uint frame)
    {
        if (_frozen is { State: FrozenState.Open } frozen && frozen.Changed.Contains(page))
        {
            lock (frozen.Gate)
            {
                if (TryLeave(frozen, page, frame)) return;
            }
        }

        ReleaseFrame(frame);
    }

    /// <summary>Under the gate: gives the frame to the checkpoint, when that still needs it.</summary>
    private bool TryLeave(FrozenPages frozen, uint page, uint frame)
    {
        if (!frozen.NeedsFrameOf(page)) return false;
        frozen.Left.Add(page, frame);
        _owners[frame] = page | LeftOwner;
        return true;
    }

    /// <summary>Gives a page that is about to change a frame of its own, when the checkpoint still reads the one it has.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong Unshare(uint page)
    {
        _entry[page] += PageEntries.ReadPin; // it stays while room is made for the copy
        uint frame = TakeFrame();
        ulong entry = _entry[page] - PageEntries.ReadPin;
        uint shared = (uint)(entry & PageEntries.FrameMask);
        bool left = false;
        if (_frozen is { State: FrozenState.Open } frozen)
        {
            lock (frozen.Gate)
            {
                left = TryLeave(frozen, page, shared);
                if (left)
                {
                    Unsafe.CopyBlock(_pool.Pointer(frame), _pool.Pointer(shared), PageSize);
                    entry = (entry & ~PageEntries.FrameMask) | frame;
                    _owners[frame] = page;
                }
            }
        }

        if (!left) ReleaseFrame(frame);
        _entry[page] = entry;
        return entry;
    }

    /// <summary>
    /// Takes note of a finished freeze. A committed one costs what it left in frames of its own; an aborted one's changes are
    /// dirty again, which costs a step for each.
    /// </summary>
    private void Settle()
    {
        if (_frozen is not { } frozen || frozen.State == FrozenState.Open) return;
        foreach (uint frame in frozen.Left.Values) ReleaseFrame(frame);
        frozen.Left.Clear();
        if (frozen.State == FrozenState.Committed) _baseTable = frozen.CommittedTable;
        else TakeBack(frozen);
        _frozen = null;
    }

    private void TakeBack(FrozenPages frozen)
    {
        for (uint? at = frozen.Changed.NextFrom(0); at is { } page; at = frozen.Changed.NextFrom(page + 1))
        {
            TableEntry place = frozen.Places[page];
            if (_freed.Contains(page) || !_dirty.Add(page))
            {
                if (!place.IsEmpty) _file!.Slots.Release(_slots, place.Slot, SlotUse.Frozen);
                continue;
            }

            _entry[page] &= ~PageEntries.Saved;
            if (place.IsEmpty) continue;
            _file!.Slots.Move(_slots!, place.Slot, SlotUse.Frozen, SlotUse.Evicted);
            _saved.Set(page, place);
            _entry[page] |= PageEntries.Saved;
        }

        for (uint? at = frozen.Freed.NextFrom(0); at is { } page; at = frozen.Freed.NextFrom(page + 1))
        {
            if (!_dirty.Contains(page)) _freed.Add(page);
        }
    }
}
