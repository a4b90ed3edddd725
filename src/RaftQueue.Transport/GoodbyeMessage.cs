using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The payload of Goodbye.</summary>
internal sealed record GoodbyeMessage(GoodbyeMessage.Cause Why, string Reason)
{
    private const int FieldCount = 2;
    private const int MaxReasonBytes = 1_000;

    public enum Cause : byte
    {
        /// <summary>The node stops or no longer counts the other as a member.</summary>
        Closing = 0,

        /// <summary>The other side may not connect; <see cref="Reason"/> says why.</summary>
        Refused = 1,

        /// <summary>There is a connection between the two already.</summary>
        Duplicate = 2,
    }

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64((byte)Why);
        writer.WriteString(Reason);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GoodbyeMessage? goodbye)
    {
        goodbye = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int why)
            & WireText.TryRead(ref reader, MaxReasonBytes, out string reason);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        if (!read || !reader.IsAtEnd || why is < 0 or > (int)Cause.Duplicate) return false;
        goodbye = new GoodbyeMessage((Cause)why, reason);
        return true;
    }
}
