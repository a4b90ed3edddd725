using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// One checkpoint as a stream of bytes to send to another node: a checkpoint file of its own without a gap (superblock, an
/// empty slot, table root, middle nodes, leaves, pages in page order), the same bytes on every node that has the same
/// checkpoint, so that a transfer can go on from another node. The slots it reads stay as they are until it is disposed.
/// One thread at a time.
/// </summary>
public sealed partial class CheckpointReader : IDisposable
{
    private readonly string _path;
    private readonly IDiskFile _file;
    private readonly Action<CheckpointReader> _onClosed;
    private readonly byte[] _superblock;
    private readonly TableNode _table;
    private readonly TableNode _root;
    private readonly List<TableNode> _middles = [];
    private readonly List<(TableNode Node, uint FirstPage)> _leaves = [];
    private readonly List<uint> _firstSlots = []; // of each leaf's first page in the stream
    private readonly byte[] _block = new byte[PageStore.PageSize];
    private bool _disposed;

    internal CheckpointReader(
        string path,
        IDiskFile file,
        CheckpointState state,
        TableNode root,
        Action<CheckpointReader> onClosed)
    {
        _path = path;
        _file = file;
        _onClosed = onClosed;
        _table = root;
        State = state;
        _leaves.AddRange(root.Leaves());
        uint leafSlot = Superblock.Places + 1 + (uint)root.CountUsed();
        uint pageSlot = leafSlot + (uint)_leaves.Count;
        foreach ((TableNode leaf, uint _) in _leaves)
        {
            _firstSlots.Add(pageSlot);
            pageSlot += (uint)leaf.CountUsed();
        }

        _root = BuildTop(root, leafSlot);
        var rootEntry = new TableEntry(Superblock.Places, _root.Crc(), state.Superblock.Root.Hash);
        _superblock = new Superblock(Info, 1, rootEntry, state.Superblock.Pages, pageSlot).Encode();
        TotalBytes = (long)pageSlot * PageStore.PageSize;
    }

    public CheckpointInfo Info => State.Superblock.Info;

    /// <summary>The hash of the whole state; readers that agree in it and in <see cref="Info"/> give the same bytes.</summary>
    public ulong RootHash => State.Superblock.Root.Hash;

    /// <summary>Length of the stream.</summary>
    public long TotalBytes { get; }

    internal CheckpointState State { get; }

    /// <summary>
    /// Copies bytes of the stream from <paramref name="position"/> on and returns how many: as many as fit, fewer only at
    /// the end. Every page is verified before it is given out; throws <see cref="CheckpointDamagedException"/>.
    /// </summary>
    public int Read(long position, Span<byte> destination)
    {
        Invariant.That(!_disposed, "a disposed reader is not used");
        Invariant.That(position >= 0, "a stream begins at zero");
        int length = (int)Math.Clamp(TotalBytes - position, 0, destination.Length);
        int done = 0;
        while (done < length)
        {
            uint slot = (uint)((position + done) / PageStore.PageSize);
            int offset = (int)((position + done) % PageStore.PageSize);
            Span<byte> rest = destination[done..length];
            if (offset == 0 && rest.Length >= PageStore.PageSize)
            {
                done += ReadBlocks(slot, rest);
                continue;
            }

            ReadBlocks(slot, _block);
            ReadOnlySpan<byte> part = _block.AsSpan(offset, Math.Min(PageStore.PageSize - offset, rest.Length));
            part.CopyTo(rest);
            done += part.Length;
        }

        return length;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _onClosed(this);
    }

    /// <summary>Copies the table above the leaves with the slots and checksums that its nodes have in the stream.</summary>
    private TableNode BuildTop(TableNode source, uint leafSlot)
    {
        TableNode root = source.Clone();
        uint middleSlot = Superblock.Places + 1;
        int leaf = 0;
        for (int i = source.NextUsed(0); i < TableNode.FanOut; i = source.NextUsed(i + 1))
        {
            TableNode middle = source.Child(i)!.Clone();
            for (int j = middle.NextUsed(0); j < TableNode.FanOut; j = middle.NextUsed(j + 1))
            {
                uint crc = BuildLeaf(leaf).Crc();
                middle.Set(j, new TableEntry(leafSlot + (uint)leaf, crc, middle[j].Hash));
                leaf++;
            }

            root.Set(i, new TableEntry(middleSlot++, middle.Crc(), root[i].Hash));
            _middles.Add(middle);
        }

        return root;
    }

    private TableNode BuildLeaf(int leaf)
    {
        TableNode node = _leaves[leaf].Node.Clone();
        uint slot = _firstSlots[leaf];
        for (int i = node.NextUsed(0); i < TableNode.FanOut; i = node.NextUsed(i + 1))
        {
            node.Set(i, node[i] with { Slot = slot++ });
        }

        return node;
    }

    /// <summary>Whole blocks from a slot of the stream on, as many as can be had at once; returns their bytes.</summary>
    private int ReadBlocks(uint slot, Span<byte> destination)
    {
        uint inTable = slot - Superblock.Places;
        if (slot >= _firstSlots[0]) return ReadPages(slot, destination);
        ReadOnlySpan<byte> block = slot switch
        {
            0 => _superblock,
            1 => new byte[PageStore.PageSize],
            Superblock.Places => _root.Bytes,
            _ when inTable <= (uint)_middles.Count => _middles[(int)inTable - 1].Bytes,
            _ => BuildLeaf((int)inTable - 1 - _middles.Count).Bytes,
        };
        block.CopyTo(destination);
        return PageStore.PageSize;
    }

    private int ReadPages(uint slot, Span<byte> destination)
    {
        int leaf = _firstSlots.BinarySearch(slot);
        if (leaf < 0) leaf = ~leaf - 1;
        (TableNode node, uint firstPage) = _leaves[leaf];
        int index = node.NextUsed(0);
        for (uint before = _firstSlots[leaf]; before < slot; before++) index = node.NextUsed(index + 1);
        int count = PageRun.Length(node, index, destination.Length / PageStore.PageSize);
        int good = PageRun.Read(_file, node, index, destination[..(count * PageStore.PageSize)]);
        if (good == count) return count * PageStore.PageSize;
        var damage = new CheckpointDamage(Info.Index.Value, new PageNumber(firstPage + (uint)(index + good)), "wrong checksum");
        throw new CheckpointDamagedException(_path, damage);
    }
}
