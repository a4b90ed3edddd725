using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Reads and verifies the table of one checkpoint. Everything wrong goes to a callback, which throws or collects; what it
/// concerns is then treated as absent. Bounded whatever the bytes say: the tree has three levels and no slot counts twice.
/// </summary>
internal sealed class TableReader
{
    private readonly IDiskFile _file;
    private readonly Superblock _superblock;
    private readonly Action<CheckpointDamage> _onDamage;
    private readonly uint _slots;
    private uint _pages;

    private TableReader(IDiskFile file, Superblock superblock, Action<CheckpointDamage> onDamage)
    {
        _file = file;
        _superblock = superblock;
        _onDamage = onDamage;
        _slots = (uint)Math.Min(superblock.Slots, file.Length / PageStore.PageSize);
    }

    /// <summary>Slots of the table and of the pages.</summary>
    private SlotMap Map { get; } = new();

    /// <summary>
    /// The table, or null when its root is damaged. Nodes that <paramref name="twin"/>, the verified table of another
    /// checkpoint in the same file, has in the same place are shared with it instead of read; then the callback throws.
    /// <paramref name="twinEntry"/> is that checkpoint's root entry.
    /// </summary>
    public static (TableNode? Root, SlotMap Map) Read(
        IDiskFile file,
        Superblock superblock,
        Action<CheckpointDamage> onDamage,
        TableEntry twinEntry = default,
        TableNode? twin = null)
    {
        var reader = new TableReader(file, superblock, onDamage);
        TableNode? sameRoot = twinEntry == superblock.Root ? twin : null;
        TableNode? root = reader.ReadNode(superblock.Root, TableNode.RootLevel, 0, sameRoot, twin);
        if (root is not null)
        {
            if (reader._pages != superblock.Pages)
            {
                reader.Report(null, $"the table has {reader._pages} pages, the superblock says {superblock.Pages}");
            }

            if (!reader.StartsWithPageOne(root)) reader.Report(null, "the table has page 0 or lacks page 1");
        }

        return (root, reader.Map);
    }

    private bool StartsWithPageOne(TableNode root) =>
        root.Child(0)?.Child(0) is { } first ? first[0].IsEmpty && !first[1].IsEmpty : _pages == 0;

    // `same` is this very node when the twin has it; `twin` is what the twin has in this place.
    private TableNode? ReadNode(TableEntry entry, int level, uint firstPage, TableNode? same, TableNode? twin)
    {
        if (!TakeSlot(entry, level, firstPage)) return null;
        TableNode? node = same ?? ReadAndVerify(entry, level, firstPage);
        if (node is null) return null;
        if (node.IsEmpty) Report(null, $"{Name(level, firstPage)} in slot {entry.Slot} is empty");
        uint pagesPerChild = 1u << (8 * level);
        for (int i = 0; i < TableNode.FanOut; i++)
        {
            if (node[i].IsEmpty && node[i] != default) Report(null, $"{Name(level, firstPage)} has a checksum for nothing");
            if (!node[i].IsEmpty && !ReadChild(node, i, firstPage + ((uint)i * pagesPerChild), twin)) node.Set(i, default);
        }

        return node;
    }

    private TableNode? ReadAndVerify(TableEntry entry, int level, uint firstPage)
    {
        byte[] bytes = new byte[PageStore.PageSize];
        int read = SlotRead.TryReadAt(_file, (long)entry.Slot * PageStore.PageSize, bytes);
        var node = TableNode.FromBytes(level, bytes);
        if (read == bytes.Length && node.Crc() == entry.Crc && node.Hash() == entry.Hash) return node;
        Report(null, $"{Name(level, firstPage)} in slot {entry.Slot} has the wrong checksum");
        return null;
    }

    private bool ReadChild(TableNode node, int index, uint firstPage, TableNode? twin)
    {
        TableEntry entry = node[index];
        if (node.Level == 0)
        {
            if (!TakeSlot(entry, -1, firstPage)) return false;
            _pages++;
            return true;
        }

        TableNode? twinChild = twin?.Child(index);
        TableNode? same = twinChild is not null && twin![index] == entry ? twinChild : null;
        TableNode? child = ReadNode(entry, node.Level - 1, firstPage, same, twinChild);
        if (child is null) return false;
        // A node that is shared has its children; one of its own may have children that are shared.
        if (node.Child(index) is null) node.Attach(index, child);
        return true;
    }

    private bool TakeSlot(TableEntry entry, int level, uint firstPage)
    {
        PageNumber? page = level < 0 ? new PageNumber(firstPage) : null;
        string what = level < 0 ? "its" : Name(level, firstPage) + "'s";
        if (entry.Slot < Superblock.Places || entry.Slot >= _slots)
        {
            Report(page, $"{what} slot {entry.Slot} is outside the file");
            return false;
        }

        if (Map.Add(entry.Slot)) return true;
        Report(page, $"{what} slot {entry.Slot} is used twice");
        return false;
    }

    private static string Name(int level, uint firstPage) =>
        level == TableNode.RootLevel
            ? "the table root"
            : $"the table {(level == 0 ? "leaf" : "node")} of pages {firstPage} to {firstPage + (1u << (8 * (level + 1))) - 1}";

    private void Report(PageNumber? page, string what) =>
        _onDamage(new CheckpointDamage(_superblock.Info.Index.Value, page, what));
}
