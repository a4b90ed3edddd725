namespace RaftQueue.Primitives;

/// <summary>
/// One page of a checkpoint, or one node of the table above the pages, by its place and its content, so that it is the same
/// thing on every node that has it.
/// </summary>
/// <param name="Level">0 a page, 1 a leaf of the table, 2 a node between, 3 the root.</param>
/// <param name="Number">The page's number; of a node, that of the first page below it, divided by 256 as often as its level says.</param>
/// <param name="Hash">The hash of its content; never zero, which stands for nothing.</param>
public readonly record struct PageName(int Level, uint Number, ulong Hash)
{
    public const int RootLevel = 3;

    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 4096;

    /// <summary>Bytes of what a node says: the hashes of its 256 children, u64 little endian, zero for none.</summary>
    public const int NodeBytes = 256 * 8;

    private const int PageBits = 24;
    private const int FanOutBits = 8;

    public static PageName Root(ulong hash) => new(RootLevel, 0, hash);

    /// <summary>Bytes of its content.</summary>
    public int ContentBytes => Level == 0 ? PageBytes : NodeBytes;

    /// <summary>Whether there can be such a page or node.</summary>
    public bool IsPossible =>
        Level is >= 0 and <= RootLevel && Hash != 0 && Number >> (PageBits - (FanOutBits * Level)) == 0 && (Level > 0 || Number > 0);
}
