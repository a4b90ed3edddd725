using System.Numerics;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// Which bucket of a <see cref="HashIndex"/> holds a hash; a function of the number of buckets alone.
/// </summary>
/// <remarks>
/// There are 2^n groups; a hash's lowest n bits name its group, and the bits above them, the lowest first, are a fraction that
/// says how far into the group it lies. A group has 2, 3 or 4 buckets that share the fractions equally. Growing gives one group
/// after the other its third bucket, then its fourth; when all have four, each is two groups of two without moving anything.
/// So the fullest bucket holds at most half as much again as the emptiest (4/3 in the second round), where plain linear hashing
/// has twice as much.
/// </remarks>
internal readonly struct HashShape
{
    /// <summary>The most buckets in a group.</summary>
    public const int MaxGroup = 4;

    private readonly int _groupBits;

    public HashShape(uint buckets)
    {
        Buckets = buckets;
        _groupBits = Math.Max(BitOperations.Log2(buckets | 1) - 1, 0);
        uint groups = 1u << _groupBits;
        GroupSize = buckets < 2 ? (int)buckets : (int)(buckets >> _groupBits);
        Expanded = buckets < 2 ? 0 : buckets & (groups - 1);
    }

    /// <summary>Buckets altogether.</summary>
    public uint Buckets { get; }

    /// <summary>Groups below this have one bucket more than <see cref="GroupSize"/>; it is the next one to grow.</summary>
    public uint Expanded { get; }

    /// <summary>Buckets of a group that has not grown in this round.</summary>
    public int GroupSize { get; }

    /// <summary>
    /// With more entries the next group grows: the round begins when the groups that have not grown are 80 % full and is over
    /// when they are 95 % full.
    /// </summary>
    public long ExpandAbove =>
        (long)GroupSize * BucketPage.Capacity * ((80L << _groupBits) + 15L * Expanded) / 100;

    /// <summary>With fewer entries the last bucket goes: a quarter less than what makes it come.</summary>
    public long ContractBelow => Buckets < 2 ? 0 : new HashShape(Buckets - 1).ExpandAbove * 3 / 4;

    public uint BucketOf(uint hash)
    {
        uint group = hash & ((1u << _groupBits) - 1);
        int size = group < Expanded ? GroupSize + 1 : GroupSize;
        uint place = (uint)((ulong)ReverseBits(hash >> _groupBits) * (uint)size >> 32);
        // Of four buckets the columns alternate between the two halves that become groups of their own.
        if (size == MaxGroup) place = ((place & 1) << 1) | (place >> 1);
        return BucketIn(group, (int)place);
    }

    public uint BucketIn(uint group, int column) => ((uint)column << _groupBits) + group;

    private static uint ReverseBits(uint bits)
    {
        bits = ((bits >> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
        bits = ((bits >> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
        bits = ((bits >> 4) & 0x0F0F0F0F) | ((bits & 0x0F0F0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(bits);
    }
}
