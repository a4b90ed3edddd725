using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// All queues of the shard: a chain of pages, the newest first, and what is derived from it to find them. Which queues exist
/// and their order by name depend on the pages alone.
/// </summary>
internal sealed class QueueTable(PageStore pages, BlobStore blobs)
{
    private readonly Dictionary<ulong, QueueState> _byHash = [];
    private readonly Dictionary<uint, QueueState> _byPage = [];
    private readonly List<QueueState> _sorted = [];
    private readonly List<QueueState> _dirty = [];

    /// <summary>The newest queue's page, 0 when there is none. Kept in the root page by the owner.</summary>
    public uint Newest { get; private set; }

    public int Count => _sorted.Count;

    /// <summary>In ordinal order of the names.</summary>
    public IReadOnlyList<QueueState> Sorted => _sorted;

    /// <summary>Reads all queues.</summary>
    public void Open(uint newest)
    {
        Newest = newest;
        for (uint number = newest; number != 0;)
        {
            var page = new PageNumber(number);
            byte[] name;
            using (PageHandle handle = pages.Pin(page, PageIntent.Read)) name = QueueState.ReadName(handle.Read);
            var queue = new QueueState(pages, page, name);
            queue.Load();
            LoadSettings(queue);
            Add(queue);
            number = queue.NextQueue;
        }
    }

    public QueueState? Find(ReadOnlySpan<byte> name)
    {
        QueueState? queue = _byHash.GetValueOrDefault(StableHash.Hash64(name));
        while (queue is not null && !name.SequenceEqual(queue.Name)) queue = queue.SameHash;
        return queue;
    }

    public QueueState At(uint page) => _byPage[page];

    /// <summary>A new queue with nothing in it; there is none of that name.</summary>
    public QueueState Create(ReadOnlySpan<byte> name)
    {
        var queue = new QueueState(pages, pages.Allocate(), name.ToArray()) { NextQueue = Newest };
        queue.Initialize();
        Newest = queue.Page.Value;
        Add(queue);
        MarkDirty(queue);
        return queue;
    }

    public void MarkDirty(QueueState queue)
    {
        if (queue.Dirty) return;
        queue.Dirty = true;
        _dirty.Add(queue);
    }

    /// <summary>Writes what changed to the pages.</summary>
    public void Flush()
    {
        foreach (QueueState queue in _dirty)
        {
            queue.Save();
            queue.Dirty = false;
        }

        _dirty.Clear();
    }

    /// <summary>Replaces the settings by an encoded map that <see cref="QueueSettings.TryParse"/> took.</summary>
    public void SetSettings(QueueState queue, ReadOnlySpan<byte> map, QueueSettings parsed)
    {
        if (!queue.SettingsBlob.IsNone) blobs.Free(queue.SettingsBlob);
        queue.SettingsBlob = blobs.Write(map);
        queue.Settings = parsed;
        MarkDirty(queue);
    }

    /// <summary>The encoded map, empty when nothing was ever set.</summary>
    public byte[] ReadSettings(QueueState queue)
    {
        if (queue.SettingsBlob.IsNone) return [];
        byte[] map = new byte[blobs.Length(queue.SettingsBlob)];
        blobs.Read(queue.SettingsBlob, map);
        return map;
    }

    /// <summary>The place in <see cref="Sorted"/> of the first name behind this one.</summary>
    public int IndexAfter(ReadOnlySpan<byte> name)
    {
        int low = 0;
        int high = _sorted.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (name.SequenceCompareTo(_sorted[middle].Name) < 0) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private void LoadSettings(QueueState queue)
    {
        if (queue.SettingsBlob.IsNone) return;
        Invariant.That(QueueSettings.TryParse(ReadSettings(queue), out QueueSettings settings), "stored settings can be read");
        queue.Settings = settings;
    }

    private void Add(QueueState queue)
    {
        ulong hash = StableHash.Hash64(queue.Name);
        queue.SameHash = _byHash.GetValueOrDefault(hash);
        _byHash[hash] = queue;
        _byPage.Add(queue.Page.Value, queue);
        _sorted.Insert(IndexAfter(queue.Name), queue);
    }
}
