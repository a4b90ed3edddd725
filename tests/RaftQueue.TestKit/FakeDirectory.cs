using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>The names in one directory, as seen and as on the medium, with the operations that lie between the two.</summary>
internal sealed class FakeDirectory
{
    private readonly SortedDictionary<string, FakeInode> _durable = new(StringComparer.Ordinal);
    private readonly List<Change> _pending = [];

    public SortedDictionary<string, FakeInode> Names { get; } = new(StringComparer.Ordinal);

    public void Bind(string name, FakeInode inode) => Do(new Change(null, name, inode));

    public void Unbind(string name) => Do(new Change(name, null, null));

    public void Rename(string from, string to) => Do(new Change(from, to, Names[from]));

    /// <summary>The medium has the name, for this file.</summary>
    public bool IsDurable(string name, FakeInode inode) => _durable.TryGetValue(name, out FakeInode? held) && ReferenceEquals(held, inode);

    public void Sync()
    {
        _pending.Clear();
        Copy(Names, _durable);
    }

    /// <summary>
    /// Half of the time a prefix of the unsynced operations is kept (a journal), else any of them (no order promised).
    /// A rename happens whole or not at all.
    /// </summary>
    public void LosePower(SplitMix64 random)
    {
        bool journal = random.NextBelow(2) == 0;
        long prefix = random.NextBelow(_pending.Count + 1);
        for (int index = 0; index < _pending.Count; index++)
        {
            bool kept = journal ? index < prefix : random.NextBelow(2) == 0;
            if (kept) Apply(_durable, _pending[index]);
        }

        _pending.Clear();
        Copy(_durable, Names);
    }

    private static void Copy(SortedDictionary<string, FakeInode> from, SortedDictionary<string, FakeInode> to)
    {
        to.Clear();
        foreach ((string name, FakeInode inode) in from)
        {
            to.Add(name, inode);
        }
    }

    private static void Apply(SortedDictionary<string, FakeInode> names, Change change)
    {
        // A removal of a name whose making was lost, or that another file has taken meanwhile, does nothing.
        bool sameFile = change.Removed is not null && names.TryGetValue(change.Removed, out FakeInode? held)
            && (change.Inode is null || ReferenceEquals(held, change.Inode));
        if (sameFile) names.Remove(change.Removed!);
        if (change.Added is null) return;

        // A file keeps one name, also when an earlier rename of it was lost.
        foreach (string other in names.Where(pair => ReferenceEquals(pair.Value, change.Inode)).Select(pair => pair.Key).ToArray())
        {
            names.Remove(other);
        }

        names[change.Added] = change.Inode!;
    }

    private void Do(Change change)
    {
        Apply(Names, change);
        _pending.Add(change);
    }

    private sealed record Change(string? Removed, string? Added, FakeInode? Inode);
}
