using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>The bytes of a handshake: a MessagePack array to which later versions append fields, skipped by older ones.</summary>
public sealed partial record Handshake
{
    private const int FieldCount = 16;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteString(ClusterId);
        writer.WriteInt64(ProtocolVersion);
        writer.WriteInt64(Shards);
        writer.WriteString(Durability);
        writer.WriteInt64(HeartbeatMs);
        writer.WriteInt64(ElectionTimeoutMs);
        writer.WriteInt64(EntryFormat);
        writer.WriteInt64(ApplyLevel);
        writer.WriteInt64(CheckpointFormat);
        writer.WriteInt64(Node.Value);
        writer.WriteUInt64(Incarnation.Value);
        writer.WriteInt64(Target.Value);
        writer.WriteUInt64(ExpectedTarget.Value);
        writer.WriteBool(Blank);
        writer.WriteString(HttpAddress);
        writer.WriteString(PeerAddress);
    }

    /// <summary>False for anything but a handshake within its bounds.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Handshake? handshake)
    {
        handshake = null;
        var reader = new MessagePackReader(bytes);
        if (!reader.TryReadArrayHeader(out int fields) || fields < FieldCount) return false;
        bool read = WireText.TryRead(ref reader, MaxTextBytes, out string clusterId)
            & reader.TryReadInt32(out int version)
            & reader.TryReadInt32(out int shards)
            & WireText.TryRead(ref reader, MaxTextBytes, out string durability)
            & reader.TryReadInt32(out int heartbeatMs)
            & reader.TryReadInt32(out int electionTimeoutMs)
            & reader.TryReadInt32(out int entryFormat)
            & reader.TryReadInt32(out int applyLevel)
            & reader.TryReadInt32(out int checkpointFormat)
            & reader.TryReadInt32(out int node)
            & reader.TryReadUInt64(out ulong incarnation)
            & reader.TryReadInt32(out int target)
            & reader.TryReadUInt64(out ulong expected)
            & reader.TryReadBool(out bool blank)
            & WireText.TryRead(ref reader, MaxTextBytes, out string httpAddress)
            & WireText.TryRead(ref reader, MaxTextBytes, out string peerAddress);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        bool possible = read && reader.IsAtEnd && version is >= 0 and <= ushort.MaxValue && IsByte(entryFormat) && IsByte(applyLevel)
            && IsByte(checkpointFormat) && node > 0 && target >= 0;
        if (!possible) return false;
        handshake = new Handshake
        {
            ClusterId = clusterId,
            ProtocolVersion = (ushort)version,
            Shards = shards,
            Durability = durability,
            HeartbeatMs = heartbeatMs,
            ElectionTimeoutMs = electionTimeoutMs,
            EntryFormat = (byte)entryFormat,
            ApplyLevel = (byte)applyLevel,
            CheckpointFormat = (byte)checkpointFormat,
            Node = new NodeId(node),
            Incarnation = new Incarnation(incarnation),
            Target = new NodeId(target),
            ExpectedTarget = new Incarnation(expected),
            Blank = blank,
            HttpAddress = httpAddress,
            PeerAddress = peerAddress,
        };
        return true;
    }

    private static bool IsByte(int value) => value is >= 0 and <= byte.MaxValue;
}
