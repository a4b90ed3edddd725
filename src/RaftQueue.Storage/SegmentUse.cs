using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Which segments one shard's written entries lie in: items (segment, first index), rising in both; an item's entries reach
/// to the one before the next item's first. Only the log's loop uses it, so it never runs ahead of the disk.
/// </summary>
internal sealed class SegmentUse
{
    private readonly List<(long Segment, LogIndex First)> _items = [];

    public void Wrote(long segment, LogIndex first)
    {
        while (_items.Count > 0 && _items[^1].First >= first)
        {
            _items.RemoveAt(_items.Count - 1);
        }

        if (_items.Count == 0 || _items[^1].Segment != segment) _items.Add((segment, first));
    }

    public void Clear() => _items.Clear();

    /// <summary>The oldest segment with an entry behind <paramref name="released"/>, or null when <paramref name="last"/> is released too.</summary>
    public long? OldestNeeded(LogIndex released, LogIndex last)
    {
        if (released >= last || _items.Count == 0) return null;
        while (_items.Count > 1 && _items[1].First <= released.Next)
        {
            _items.RemoveAt(0);
        }

        return _items[0].Segment;
    }
}
