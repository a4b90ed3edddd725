using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary><c>[ envelope, slot, sequence, ifVersion|nil ]</c></summary>
public ref struct CancelCommand
{
    public CommandEnvelope Envelope;
    public long Slot;
    public ulong Sequence;

    /// <summary>Null: whatever the version is.</summary>
    public long? IfVersion;

    public static void Write(in MessagePackWriter writer, in CommandEnvelope envelope, in JobId id, long? ifVersion)
    {
        writer.WriteArrayHeader(4);
        envelope.Write(writer);
        writer.WriteInt64(id.Slot);
        writer.WriteUInt64(id.Sequence);
        writer.WriteInt64OrNil(ifVersion);
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out CancelCommand command)
    {
        command = default;
        var reader = new MessagePackReader(body);
        return reader.TryReadArrayHeader(out int fields)
            && fields >= 4
            && CommandEnvelope.TryRead(ref reader, out command.Envelope)
            && reader.TryReadInt64(out command.Slot)
            && reader.TryReadUInt64(out command.Sequence)
            && reader.TryReadInt64OrNil(out command.IfVersion);
    }
}
