using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>Text from peers that may end in a log: bounded, valid UTF-8 and without control characters.</summary>
internal static class WireText
{
    public static bool TryRead(ref MessagePackReader reader, int maxBytes, out string text)
    {
        text = "";
        MessagePackReader ahead = reader;
        if (!ahead.TryReadString(out ReadOnlySpan<byte> utf8) || utf8.Length > maxBytes) return false;
        if (!reader.TryReadText(out string? read) || read is null) return false;
        text = read;
        foreach (char character in read)
        {
            if (char.IsControl(character)) return false;
        }

        return true;
    }
}
