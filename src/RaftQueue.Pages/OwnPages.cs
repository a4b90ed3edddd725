using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// What a node already has when it takes over another node's checkpoint: the table of its own, without what is damaged. An
/// entry that leads to something not whole has no slot and so is never used as it stands, while its child still leads to what
/// is good below it.
/// </summary>
internal sealed class OwnPages
{
    private const int RunPages = 64;

    private readonly IDiskFile _file;
    private readonly PageSet _damaged = new();
    private readonly byte[] _buffer = new byte[RunPages * PageStore.PageSize];
    private readonly IEnumerator<(TableNode Leaf, uint FirstPage)> _leaves;
    private bool _verified;

    /// <param name="file">Where the pages stand.</param>
    /// <param name="rootEntry">Of the table; empty when its root could not be read.</param>
    /// <param name="root">The table, in which what could not be read is absent; null when there is none.</param>
    /// <param name="verify">Whether pages are to be read, and nodes to be compared with what their parents say.</param>
    public OwnPages(IDiskFile file, TableEntry rootEntry, TableNode? root, bool verify)
    {
        _file = file;
        RootEntry = rootEntry;
        Root = root;
        _verified = !verify || root is null;
        _leaves = root is null ? Enumerable.Empty<(TableNode, uint)>().GetEnumerator() : root.Leaves().GetEnumerator();
    }

    public TableEntry RootEntry { get; private set; }

    public TableNode? Root { get; private set; }

    /// <summary>Pages that were read and are not what they should be.</summary>
    public int DamagedPages => _damaged.Count;

    /// <summary>Pages that were read.</summary>
    public long PagesVerified { get; private set; }

    /// <summary>Verifies up to 256 pages. True while there is more; nothing else is used before that.</summary>
    public bool VerifyNext()
    {
        if (_verified) return false;
        if (_leaves.MoveNext())
        {
            Verify(_leaves.Current.Leaf, _leaves.Current.FirstPage);
            return true;
        }

        TableNode whole = WithoutDamage(Root!, 0);
        if (!ReferenceEquals(whole, Root) || whole.Hash() != RootEntry.Hash) RootEntry = default;
        Root = whole;
        _verified = true;
        return false;
    }

    private void Verify(TableNode leaf, uint firstPage)
    {
        for (int index = leaf.NextUsed(0); index < TableNode.FanOut; index = leaf.NextUsed(index))
        {
            int count = PageRun.Length(leaf, index, RunPages);
            int good = PageRun.Read(_file, leaf, index, _buffer.AsSpan(0, count * PageStore.PageSize));
            PagesVerified += good;
            index += good;
            if (good == count) continue;
            _damaged.Add(firstPage + (uint)index);
            index++;
        }
    }

    private TableNode WithoutDamage(TableNode node, uint number)
    {
        TableNode whole = node;
        for (int i = 0; i < TableNode.FanOut; i++)
        {
            uint child = (number * TableNode.FanOut) + (uint)i;
            TableEntry entry = node[i];
            if (entry.IsEmpty) continue;
            TableNode? below = node.Child(i);
            TableNode? wholeBelow = below is null ? null : WithoutDamage(below, child);
            bool isWhole = node.Level == 0
                ? !_damaged.Contains(child)
                : wholeBelow is not null && ReferenceEquals(wholeBelow, below) && below!.Hash() == entry.Hash;
            if (isWhole) continue;
            if (ReferenceEquals(whole, node)) whole = node.Clone();
            whole.Set(i, default, wholeBelow);
        }

        return whole;
    }
}
