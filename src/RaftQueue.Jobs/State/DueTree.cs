using System.Buffers.Binary;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.State;

/// <summary>
/// Jobs of one queue that wait for a time, by (time, sequence). The first of them stands in the shard's
/// <see cref="Timers"/>; the queue's page keeps which one that is.
/// </summary>
internal sealed class DueTree(OrderedTree tree, PageNumber queue, bool isRetry)
{
    /// <summary>Bytes of the head in the queue's page.</summary>
    public const int HeadBytes = 2 * sizeof(long);

    private long _headTime;
    private long _headSequence; // 0: none

    public long Count => tree.Count;

    public void Initialize() => tree.Initialize();

    public bool TryFirst(out TreeEntry first) => tree.TryFirst(out first);

    /// <summary>Whether a job's time has come that is not ready yet.</summary>
    public bool HasDue(long now) => _headSequence != 0 && _headTime <= now;

    /// <summary>How many are due at the time, at most <paramref name="max"/>; costs in proportion to that.</summary>
    public int CountDue(long time, int max) => tree.CountThrough(time, max);

    /// <summary>See <see cref="OrderedTree.CopyThrough"/>.</summary>
    public int CopyDue(long time, Span<TreeEntry> into) => tree.CopyThrough(time, into);

    /// <summary>See <see cref="OrderedTree.Prefetch"/>.</summary>
    public void Prefetch(long time) => tree.Prefetch(time);

    public void Insert(Timers timers, long time, ulong sequence, long slot)
    {
        var entry = new TreeEntry(time, (long)sequence, slot);
        Primitives.Invariant.That(tree.Insert(entry), "a job waits for one time only");
        bool first = _headSequence == 0 || time < _headTime || (time == _headTime && (long)sequence < _headSequence);
        if (first) MoveHead(timers, time, (long)sequence);
    }

    public void Remove(Timers timers, long time, ulong sequence, long slot)
    {
        Primitives.Invariant.That(tree.Remove(new TreeEntry(time, (long)sequence, slot)), "a job that waits is in its tree");
        if (time != _headTime || (long)sequence != _headSequence) return;
        if (tree.TryFirst(out TreeEntry next)) MoveHead(timers, next.Time, next.Sequence);
        else MoveHead(timers, 0, 0);
    }

    public void LoadHead(ReadOnlySpan<byte> bytes)
    {
        _headTime = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        _headSequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[sizeof(long)..]);
    }

    public void SaveHead(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, _headTime);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[sizeof(long)..], _headSequence);
    }

    private void MoveHead(Timers timers, long time, long sequence)
    {
        long value = ((long)queue.Value << 1) | (isRetry ? 1L : 0L);
        if (_headSequence != 0) timers.Remove(TimerKind.Due, _headTime, (ulong)_headSequence, value);
        _headTime = time;
        _headSequence = sequence;
        if (sequence != 0) timers.Insert(TimerKind.Due, time, (ulong)sequence, value);
    }
}
