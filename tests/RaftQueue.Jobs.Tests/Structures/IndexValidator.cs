using System.Buffers.Binary;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>Reads a hash index's pages by the documented layout, apart from the code that writes them.</summary>
internal static class IndexValidator
{
    private const int Capacity = 408;

    /// <summary>Every (kept hash, value); fails when an entry is in a wrong bucket or a page of the store is not the index's.</summary>
    public static List<(uint Hash, long Value)> Validate(PageStore pages)
    {
        byte[] header = TestPages.Copy(pages, 1).AsSpan(TestPages.HeaderOffset, HashIndex.HeaderSize).ToArray();
        long count = BinaryPrimitives.ReadInt64LittleEndian(header);
        uint root = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
        int buckets = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
        Assert.InRange(buckets, count == 0 ? 0 : 1, count == 0 ? 0 : 1024);
        var entries = new List<(uint, long)>();
        int seen = 0;
        for (int bucket = 0; bucket < buckets; bucket++)
        {
            uint page = BinaryPrimitives.ReadUInt32LittleEndian(TestPages.Copy(pages, root).AsSpan(bucket * 4));
            bool newest = true;
            for (; page != 0; newest = false)
            {
                seen++;
                page = Read(TestPages.Copy(pages, page), bucket, buckets, newest, entries);
            }
        }

        Assert.Equal(count, entries.Count);
        Assert.Equal(pages.AllocatedPages, 1 + seen + (buckets > 0 ? 1 : 0));
        return entries;
    }

    private static uint Read(byte[] bytes, int bucket, int buckets, bool newest, List<(uint Hash, long Value)> entries)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        Assert.InRange(count, newest ? 1 : Capacity, Capacity);
        Assert.True(bytes.AsSpan((8 + count * 4)..(8 + Capacity * 4)).IndexOfAnyExcept((byte)0) < 0);
        Assert.True(bytes.AsSpan(8 + Capacity * 4 + count * 6).IndexOfAnyExcept((byte)0) < 0);
        for (int i = 0; i < count; i++)
        {
            uint hash = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8 + i * 4));
            ReadOnlySpan<byte> value = bytes.AsSpan(8 + Capacity * 4 + i * 6, 6);
            Assert.Equal(Expected(hash, buckets), bucket);
            entries.Add((hash, BinaryPrimitives.ReadUInt32LittleEndian(value)
                | ((long)BinaryPrimitives.ReadUInt16LittleEndian(value[4..]) << 32)));
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4));
    }

    private static int Expected(uint hash, int buckets)
    {
        int groups = 1;
        while (groups * 4 <= buckets) groups *= 2;
        int group = (int)(hash % (uint)groups);
        int members = 0;
        for (int bucket = group; bucket < buckets; bucket += groups) members++;
        double fraction = 0;
        double weight = 0.5;
        for (uint rest = hash / (uint)groups; rest > 0; rest /= 2, weight /= 2) fraction += rest % 2 * weight;
        int place = (int)(fraction * members);
        if (members == 4) place = place / 2 + place % 2 * 2;
        return group + place * groups;
    }
}
