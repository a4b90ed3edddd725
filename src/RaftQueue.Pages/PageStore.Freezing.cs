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
    private uint _takenBack;         // of one that was given up: what is below is dirty again
    private readonly Queue<PageFrames> _left = new(); // frames that finished checkpoints left, to be released
    private readonly List<uint> _releasing = [];

    /// <summary>Pages changed since the last freeze.</summary>
    public int DirtyPages => _dirty.Count + _freed.Count;

    /// <summary>Whether the last frozen pages are still being written, or taken back: no other freeze before that ends.</summary>
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
        while (_frozen is { State: not FrozenState.Open }) Settle();
        Invariant.That(_frozen is null, "one checkpoint is written at a time");
        _frozen = new FrozenPages(
            info, (_dirty, _freed, _saved), (_entries, _pool), (_file, _slots, _baseTable), (int)AllocatedPages);
        _dirty = new PageSet();
        _freed = new PageSet();
        _saved = new PagePlaces();
        if (_slots is not null)
        {
            _slots.LivePages = AllocatedPages;
            _file!.Slots.FreezeEvicted(_slots);
        }

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

    /// <summary>Whether a finished checkpoint left something for <see cref="Settle"/>.</summary>
    public bool IsUnsettled => _left.Count > 0 || _frozen is { State: not FrozenState.Open };

    /// <summary>
    /// One bounded step of what a finished checkpoint leaves to do: frames that were kept for it are free again, and when it was given
    /// up, its changes are dirty again. True while there is more. Between two entries; whatever else is called, works meanwhile.
    /// </summary>
    public bool Settle()
    {
        ReleaseSome();
        if (_frozen is not { } frozen || frozen.State == FrozenState.Open) return _left.Count > 0;
        if (frozen.Left.Count > 0)
        {
            // The writer is through with it.
            _left.Enqueue(frozen.TakeLeft());
        }

        if (frozen.State == FrozenState.Committed)
        {
            _baseTable = frozen.CommittedTable;
            _frozen = null;
            _file?.StoreSettled();
        }
        else if (!TakeBackSome(frozen))
        {
            _frozen = null;
            _takenBack = 0;
        }

        return _left.Count > 0 || _frozen is not null;
    }

    /// <summary>Frames that finished checkpoints left, a bounded number of them.</summary>
    private void ReleaseSome()
    {
        if (!_left.TryPeek(out PageFrames? left)) return;
        _releasing.Clear();
        left.TakeSome(_options.StepPages, _releasing);
        foreach (uint frame in _releasing) ReleaseFrame(frame);
        if (left.Count == 0) _left.Dequeue();
    }

    /// <summary>
    /// The next changes of a checkpoint that was given up are dirty again. What is not yet, is found in it as before. False when all are.
    /// </summary>
    private bool TakeBackSome(FrozenPages frozen)
    {
        for (int i = 0; i < _options.StepPages; i++)
        {
            if (frozen.NextFrom(_takenBack, out bool isFreed) is not { } page) return false;
            if (!isFreed) TakeBack(frozen, page);
            else if (!_dirty.Contains(page)) _freed.Add(page);
            _takenBack = page + 1;
        }

        return true;
    }

    private void TakeBack(FrozenPages frozen, uint page)
    {
        TableEntry place = frozen.Places[page];
        if (_freed.Contains(page) || !_dirty.Add(page))
        {
            if (!place.IsEmpty) _file!.Slots.Release(_slots, place.Slot, SlotUse.Frozen);
            return;
        }

        _entry[page] &= ~PageEntries.Saved;
        if (place.IsEmpty) return;
        _file!.Slots.Move(_slots!, place.Slot, SlotUse.Frozen, SlotUse.Evicted);
        _saved.Set(page, place);
        _entry[page] |= PageEntries.Saved;
    }
}
