namespace RaftQueue.Jobs.Structures;

/// <summary>Where a blob of a <see cref="BlobStore"/> lies and how long it is. Zero is no blob.</summary>
public readonly record struct BlobRef(ulong Value)
{
    /// <summary>No blob.</summary>
    public static BlobRef None => default;

    /// <summary>Whether there is no blob.</summary>
    public bool IsNone => Value == 0;

    // Bits 0..31 the page, 32..39 the cell, 40..62 the length in a cell; or bit 63 set and 32..56 the length of a chain.
    private const ulong ChainBit = 1UL << 63;

    internal uint Page => (uint)Value;

    internal bool IsChain => (Value & ChainBit) != 0;

    internal int Cell => (byte)(Value >> 32);

    internal int Length => IsChain ? (int)((Value & ~ChainBit) >> 32) : (int)(Value >> 40);

    internal static BlobRef InCell(uint page, int cell, int length) =>
        new(page | ((ulong)(uint)cell << 32) | ((ulong)(uint)length << 40));

    internal static BlobRef InChain(uint page, int length) => new(page | ((ulong)(uint)length << 32) | ChainBit);
}
