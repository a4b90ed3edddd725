using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// <c>[ envelope, queue, replaceAll, settings ]</c>: PUT replaces all settings, PATCH merges (RFC 7396; nil takes a field back to
/// its default). Settings are a map by the names of the HTTP interface, the jitter of <c>retry</c> as <c>jitterPpm</c>:
/// see <see cref="QueueSettings"/>.
/// </summary>
public ref struct PutQueueCommand
{
    public CommandEnvelope Envelope;
    public ReadOnlySpan<byte> Queue;
    public bool ReplaceAll;

    /// <summary>An encoded map.</summary>
    public ReadOnlySpan<byte> Settings;

    /// <param name="settings">An encoded map.</param>
    public static void Write(
        in MessagePackWriter writer,
        in CommandEnvelope envelope,
        ReadOnlySpan<byte> queue,
        bool replaceAll,
        ReadOnlySpan<byte> settings)
    {
        writer.WriteArrayHeader(4);
        envelope.Write(writer);
        writer.WriteString(queue);
        writer.WriteBool(replaceAll);
        writer.WriteRaw(settings);
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PutQueueCommand command)
    {
        command = default;
        var reader = new MessagePackReader(body);
        return reader.TryReadArrayHeader(out int fields)
            && fields >= 4
            && CommandEnvelope.TryRead(ref reader, out command.Envelope)
            && reader.TryReadString(out command.Queue)
            && QueueName.IsValid(command.Queue)
            && reader.TryReadBool(out command.ReplaceAll)
            && reader.NextType == MessagePackType.Map
            && reader.TryReadRaw(out command.Settings)
            && command.Settings.Length <= JobLimits.MaxSettingsBytes;
    }
}
