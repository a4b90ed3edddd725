using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>Reads pages that stand in adjacent slots with one call, and verifies each against its table entry.</summary>
internal static class PageRun
{
    private const int VerifyPages = 64;

    /// <summary>
    /// How many pages from entry <paramref name="index"/> of a leaf on follow each other both in number and in slot, at most
    /// <paramref name="max"/>. The entry is used.
    /// </summary>
    public static int Length(TableNode leaf, int index, int max)
    {
        uint slot = leaf[index].Slot;
        int count = 1;
        while (count < max && index + count < TableNode.FanOut && leaf[index + count].Slot == slot + (uint)count) count++;
        return count;
    }

    /// <summary>
    /// Reads <paramref name="destination"/>'s length of pages from entry <paramref name="index"/> on. Returns how many are
    /// as they should be before the first one that is not.
    /// </summary>
    public static int Read(IDiskFile file, TableNode leaf, int index, Span<byte> destination)
    {
        int count = destination.Length / PageStore.PageSize;
        int read = SlotRead.TryReadAt(file, (long)leaf[index].Slot * PageStore.PageSize, destination);
        if (read == 0 && count > 1) return ReadOneByOne(file, leaf, index, destination);
        for (int i = 0; i < count; i++)
        {
            if (read < (i + 1) * PageStore.PageSize) return i;
            if (!Matches(leaf[index + i], destination.Slice(i * PageStore.PageSize, PageStore.PageSize))) return i;
        }

        return count;
    }

    /// <summary>Reads all pages of a checkpoint; what is wrong with the first that is damaged, null when all are whole.</summary>
    public static CheckpointDamage? FindDamage(IDiskFile file, CheckpointInfo info, TableNode root)
    {
        byte[] buffer = new byte[VerifyPages * PageStore.PageSize];
        foreach ((TableNode leaf, uint firstPage) in root.Leaves())
        {
            for (int index = leaf.NextUsed(0); index < TableNode.FanOut; index = leaf.NextUsed(index))
            {
                int count = Length(leaf, index, VerifyPages);
                int good = Read(file, leaf, index, buffer.AsSpan(0, count * PageStore.PageSize));
                if (good < count)
                {
                    var page = new PageNumber(firstPage + (uint)(index + good));
                    return new CheckpointDamage(info.Index.Value, page, $"wrong checksum in slot {leaf[index + good].Slot}");
                }

                index += count;
            }
        }

        return null;
    }

    // One page that cannot be read fails the whole call: which one?
    private static int ReadOneByOne(IDiskFile file, TableNode leaf, int index, Span<byte> destination)
    {
        int count = destination.Length / PageStore.PageSize;
        for (int i = 0; i < count; i++)
        {
            if (Read(file, leaf, index + i, destination.Slice(i * PageStore.PageSize, PageStore.PageSize)) != 1) return i;
        }

        return count;
    }

    public static bool Matches(TableEntry entry, ReadOnlySpan<byte> page) =>
        Crc32C.Compute(page) == entry.Crc && PageHash.OfPage(page) == entry.Hash;
}
