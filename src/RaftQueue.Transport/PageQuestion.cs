using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Asks for pages and nodes: count u16, then level u8, number u32 and hash u64 of each, little endian.</summary>
internal static class PageQuestion
{
    private const int CountBytes = 2;
    private const int NameBytes = 13;

    public static int SizeOf(int names) => CountBytes + (names * NameBytes);

    public static void Encode(ReadOnlySpan<PageName> names, Span<byte> into)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(into, (ushort)names.Length);
        for (int i = 0; i < names.Length; i++)
        {
            Span<byte> name = into.Slice(SizeOf(i), NameBytes);
            name[0] = (byte)names[i].Level;
            BinaryPrimitives.WriteUInt32LittleEndian(name[1..], names[i].Number);
            BinaryPrimitives.WriteUInt64LittleEndian(name[5..], names[i].Hash);
        }
    }

    /// <summary>False for anything but 1 to <see cref="TransferLimits.MaxNames"/> possible names.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PageName[]? names)
    {
        names = null;
        if (bytes.Length < CountBytes) return false;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        if (count is 0 or > TransferLimits.MaxNames || bytes.Length != SizeOf(count)) return false;
        var found = new PageName[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> name = bytes.Slice(SizeOf(i), NameBytes);
            found[i] = new PageName(
                name[0], BinaryPrimitives.ReadUInt32LittleEndian(name[1..]), BinaryPrimitives.ReadUInt64LittleEndian(name[5..]));
            if (!found[i].IsPossible) return false;
        }

        names = found;
        return true;
    }
}
