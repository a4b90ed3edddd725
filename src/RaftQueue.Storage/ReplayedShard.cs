using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// One shard's log put together again from its records. While everything can be read there is one run of entries; behind
/// an unreadable batch the records that do not join on to what is known begin an island, and the rows of later batches tell
/// which of the islands the log went on from. What the batches say the log ended at is kept beside what was found.
/// </summary>
internal sealed class ReplayedShard
{
    private readonly List<EntrySlots> _islands = [];
    private bool _seen;
    private LogIndex _relocateNext;

    /// <summary>The newest that the batches say.</summary>
    public ShardRow Said { get; private set; }

    /// <summary>The entries the node may use, set by <see cref="Finish"/>.</summary>
    public EntrySlots Slots { get; private set; } = new();

    /// <summary>Entries that the batches tell of and that are not there, or a damage of before that is not made good yet.</summary>
    public LogPosition Floor { get; private set; }

    /// <summary>Whether needed entries were lost in this scan.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>What the next batch says the shard is like.</summary>
    public ShardRow Row => new(Slots.Base, Slots.Last, Floor);

    /// <summary>What a batch says of the shard as of before it.</summary>
    public void Before(ShardRow row)
    {
        if (!_seen)
        {
            _seen = true;
            Slots.Reset(row.Last);
        }
        else if (Slots.Last != row.Last)
        {
            GoOnFrom(row.Last);
        }

        Said = row;
    }

    /// <summary>A run whose entries follow through <see cref="Add"/>.</summary>
    public void BeginRun(BatchRecord run)
    {
        GoOnFrom(run.Before);
        Said = Said.EndingAt(run.Last);
    }

    public void Add(EntrySlot slot) => Slots.Add(slot);

    public void Restart(BatchRecord record)
    {
        _islands.Clear();
        Slots = new EntrySlots();
        Slots.Reset(record.Last);
        Said = new ShardRow(record.Last, record.Last, Said.Floor).EndingAt(record.Last);
    }

    /// <summary>A record whose entries cannot be read.</summary>
    public void Lost(BatchRecord record)
    {
        if (record.Kind == BatchRecordKind.Restart)
        {
            Restart(record);
        }
        else
        {
            Said = Said.EndingAt(record.Last);
        }
    }

    /// <summary>Decides which entries the node has, and what it lacks.</summary>
    public void Finish()
    {
        LogPosition released = Said.Released;
        bool complete = Slots.Last == Said.Last && Slots.Base.Index <= released.Index && released.Index <= Slots.Last.Index;
        Floor = Said.Floor;
        if (!complete)
        {
            IsDamaged = true;
            if (Said.Last.IsUpToDateWith(Floor)) Floor = Said.Last;
            _islands.Add(Slots);
            int best = _islands.FindLastIndex(island => island.Contains(released));
            Slots = best >= 0 ? _islands[best] : new EntrySlots();
            if (best < 0) Slots.Reset(released);
        }

        if (released.Index > Slots.Base.Index) Slots.CutThrough(released.Index);
        _islands.Clear();
        _relocateNext = Slots.Last.Index;
    }

    /// <summary>A batch was copied: its entries now stand behind <paramref name="to"/>. Called for the newest batch first.</summary>
    public void Relocate(WalPosition from, WalPosition to)
    {
        for (; Slots.Holds(_relocateNext); _relocateNext = _relocateNext.Previous)
        {
            ref EntrySlot slot = ref Slots.At(_relocateNext);
            if (slot.Place < from) break;
            slot.Place = to with { Offset = slot.Place.Offset - from.Offset + to.Offset };
        }
    }

    /// <summary>Cuts the newest run of entries that contains the position behind it; when none does, begins an island there.</summary>
    private void GoOnFrom(LogPosition position)
    {
        if (!Slots.Contains(position))
        {
            int found = _islands.FindLastIndex(island => island.Contains(position));
            if (found < 0)
            {
                _islands.Add(Slots);
                Slots = new EntrySlots();
                Slots.Reset(position);
                return;
            }

            Slots = _islands[found];
            _islands.RemoveRange(found, _islands.Count - found);
        }

        Slots.CutAfter(position.Index);
    }
}
