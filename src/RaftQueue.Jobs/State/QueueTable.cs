using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// All queues of the shard, by name and by page. Which queues exist and their order by name depend on the pages alone; a queue's
/// own page is read when the queue is first used.
/// </summary>
internal sealed class QueueTable(PageStore pages, BlobStore blobs)
{
    private readonly Dictionary<ulong, QueueState> _byHash = [];
    private readonly Dictionary<uint, QueueState> _byPage = [];
    private readonly List<QueueState> _sorted = [];
    private readonly List<QueueState> _dirty = [];
    private readonly QueueDirectory _directory = new(pages);

    /// <summary>Where <see cref="Open"/> begins. Kept in the root page by the owner.</summary>
    public uint DirectoryPage => _directory.Newest;

    public int Count => _sorted.Count;

    /// <summary>The queue at a place in the ordinal order of the names.</summary>
    public QueueState this[int place] => Loaded(_sorted[place]);

    /// <summary>Reads the names of all queues.</summary>
    public void Open(uint directoryPage)
    {
        _directory.Open(directoryPage, (page, name) =>
        {
            var queue = new QueueState(pages, new PageNumber(page), name);
            Index(queue);
            _sorted.Add(queue);
        });
        _sorted.Sort((one, other) => one.Name.AsSpan().SequenceCompareTo(other.Name));
    }

    public QueueState? Find(ReadOnlySpan<byte> name)
    {
        QueueState? queue = _byHash.GetValueOrDefault(StableHash.Hash64(name));
        while (queue is not null && !name.SequenceEqual(queue.Name)) queue = queue.SameHash;
        return queue is null ? null : Loaded(queue);
    }

    public QueueState At(uint page) => Loaded(_byPage[page]);

    /// <summary>A new queue with nothing in it; there is none of that name.</summary>
    public QueueState Create(ReadOnlySpan<byte> name)
    {
        var queue = new QueueState(pages, pages.Allocate(), name.ToArray());
        queue.Initialize();
        _directory.Add(queue.Page.Value, name);
        Index(queue);
        _sorted.Insert(IndexAfter(name), queue);
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

    /// <summary>The place of the first name behind this one in the ordinal order of the names.</summary>
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

    private QueueState Loaded(QueueState queue)
    {
        if (queue.IsLoaded) return queue;
        queue.Load();
        LoadSettings(queue);
        return queue;
    }

    private void LoadSettings(QueueState queue)
    {
        if (queue.SettingsBlob.IsNone) return;
        Invariant.That(QueueSettings.TryParse(ReadSettings(queue), out QueueSettings settings), "stored settings can be read");
        queue.Settings = settings;
    }

    private void Index(QueueState queue)
    {
        ulong hash = StableHash.Hash64(queue.Name);
        queue.SameHash = _byHash.GetValueOrDefault(hash);
        _byHash[hash] = queue;
        _byPage.Add(queue.Page.Value, queue);
    }
}
