using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>The shape that all commands on lease tokens share: <c>[ envelope, [ item, … ] ]</c>.</summary>
public ref struct TokenCommand
{
    public CommandEnvelope Envelope;
    public int Count;

    /// <summary>Stands at the first item; take copies.</summary>
    public MessagePackReader Items;

    /// <summary>The first part; <paramref name="count"/> items follow.</summary>
    public static void WriteStart(in MessagePackWriter writer, in CommandEnvelope envelope, int count)
    {
        writer.WriteArrayHeader(2);
        envelope.Write(writer);
        writer.WriteArrayHeader(count);
    }

    /// <summary>Reads up to the first item; the items are the caller's to check.</summary>
    public static bool TryReadStart(ReadOnlySpan<byte> body, out TokenCommand command)
    {
        command = default;
        var reader = new MessagePackReader(body);
        if (!reader.TryReadArrayHeader(out int fields) || fields < 2) return false;
        if (!CommandEnvelope.TryRead(ref reader, out command.Envelope)) return false;
        if (!reader.TryReadArrayHeader(out command.Count) || command.Count > JobLimits.MaxRowsPerCommand) return false;
        command.Items = reader;
        return true;
    }
}
