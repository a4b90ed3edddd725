namespace RaftQueue.Pages;

/// <summary>
/// What a table node knows about one child: where it is in this file, the CRC32C of its 4 KiB there, and a hash of its
/// content that is the same in every file. All zero: no child.
/// </summary>
internal readonly record struct TableEntry(uint Slot, uint Crc, ulong Hash)
{
    public bool IsEmpty => Slot == 0;
}
