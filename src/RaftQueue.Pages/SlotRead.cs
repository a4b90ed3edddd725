using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>Reads of which a failure means that the medium lost these bytes: damage like a wrong checksum, not the end.</summary>
internal static class SlotRead
{
    /// <summary>As <see cref="IDiskFile.ReadAt"/>; 0 when the disk cannot read there.</summary>
    public static int TryReadAt(IDiskFile file, long offset, Span<byte> buffer)
    {
        try
        {
            return file.ReadAt(offset, buffer);
        }
        catch (DiskException)
        {
            return 0;
        }
    }
}
