using System.Buffers.Binary;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Writes and reads the payloads of <see cref="ForwardKind"/>; reading never throws.</summary>
internal static class ForwardCodec
{
    /// <summary>No request waits longer, whatever a frame claims: a day.</summary>
    public const ulong MaxWaitMs = 86_400_000;

    public static void WriteKind(PooledBuffer into, ForwardKind kind)
    {
        into.GetSpan(1)[0] = (byte)kind;
        into.Advance(1);
    }

    public static void WriteUInt64(PooledBuffer into, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(into.GetSpan(sizeof(ulong)), value);
        into.Advance(sizeof(ulong));
    }

    public static void WriteCommand(PooledBuffer into, PendingRequest request, Incarnation origin)
    {
        CommandFrame.WriteHeader(
            into.GetSpan(CommandFrame.HeaderSize), (ushort)request.Type, origin, request.Number, request.Body.Length);
        into.Advance(CommandFrame.HeaderSize);
        into.Write(request.Body.Span);
    }

    public static bool TryReadKind(ref ReadOnlySpan<byte> payload, out ForwardKind kind)
    {
        kind = default;
        if (payload.IsEmpty) return false;
        kind = (ForwardKind)payload[0];
        payload = payload[1..];
        return true;
    }

    public static bool TryReadUInt64(ref ReadOnlySpan<byte> payload, out ulong value)
    {
        if (!BinaryPrimitives.TryReadUInt64LittleEndian(payload, out value)) return false;
        payload = payload[sizeof(ulong)..];
        return true;
    }

    public static bool TryReadIndex(ref ReadOnlySpan<byte> payload, out LogIndex index)
    {
        bool read = TryReadUInt64(ref payload, out ulong value) && value <= long.MaxValue;
        index = read ? new LogIndex((long)value) : default;
        return read;
    }

    public static bool TryReadByte(ref ReadOnlySpan<byte> payload, out byte value)
    {
        value = 0;
        if (payload.IsEmpty) return false;
        value = payload[0];
        payload = payload[1..];
        return true;
    }
}
