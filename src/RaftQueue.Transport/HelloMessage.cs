using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The payload of Hello: what the connection is for, and the caller's handshake.</summary>
/// <param name="Purpose">Which protocol follows.</param>
/// <param name="Insists">
/// The caller was told that a connection exists already and still has none: the one that the other side holds is dead.
/// </param>
internal sealed record HelloMessage(ConnectionPurpose Purpose, bool Insists, Handshake Handshake)
{
    private const int FieldCount = 3;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64((byte)Purpose);
        writer.WriteBool(Insists);
        Handshake.Encode(output);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out HelloMessage? hello)
    {
        hello = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int purpose)
            & reader.TryReadBool(out bool insists)
            & reader.TryReadRaw(out ReadOnlySpan<byte> raw);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        if (!read || !reader.IsAtEnd || purpose is < 0 or > (int)ConnectionPurpose.Transfer) return false;
        if (!Handshake.TryDecode(raw, out Handshake? handshake)) return false;
        hello = new HelloMessage((ConnectionPurpose)purpose, insists, handshake);
        return true;
    }
}
