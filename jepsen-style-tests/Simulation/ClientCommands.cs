using System.Security.Cryptography;
using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Simulation;

/// <summary>Bodies of the commands that simulated clients send.</summary>
internal static class ClientCommands
{
    public static byte[] Enqueue(Operation operation, IReadOnlyList<PlainJob> jobs) => Encode((in MessagePackWriter writer) =>
    {
        EnqueueCommand.WriteStart(writer, Envelope(operation), Encoding.UTF8.GetBytes(operation.Queue), jobs.Count == 1 && !operation.IsList, jobs.Count);
        foreach (PlainJob job in jobs) job.Write(writer);
    });

    public static byte[] Lease(Operation operation, IReadOnlyList<string> queues, int maxJobs) => Encode((in MessagePackWriter writer) =>
    {
        LeaseCommand.WriteStart(writer, Envelope(operation), queues.Count);
        foreach (string queue in queues) writer.WriteString(Encoding.UTF8.GetBytes(queue));
        LeaseCommand.WriteEnd(writer, maxJobs, operation.DelayMs, Encoding.UTF8.GetBytes(operation.Worker), operation.PullAheadMs, 8 << 20);
    });

    /// <summary>The body of a call on leases.</summary>
    public static byte[] Tokens(Operation operation, IReadOnlyList<ModelItem> items) => Encode((in MessagePackWriter writer) =>
    {
        TokenCommand.WriteStart(writer, Envelope(operation), items.Count);
        foreach (ModelItem item in items) WriteItem(writer, operation.Kind, item);
    });

    private static void WriteItem(in MessagePackWriter writer, OperationKind kind, ModelItem item)
    {
        var lease = LeaseReference.Of(item.Token);
        switch (kind)
        {
            case OperationKind.Ack:
                new AckItem { Lease = lease, Result = Utf8(item.Text) }.Write(writer);
                break;
            case OperationKind.Nack:
                new NackItem { Lease = lease, Error = Utf8(item.Text), DelayMs = item.DelayMs, Dead = item.Dead }.Write(writer);
                break;
            case OperationKind.Extend:
                new ExtendItem { Lease = lease, LeaseMs = item.LeaseMs, Progress = Utf8(item.Text) }.Write(writer);
                break;
            case OperationKind.Release:
                new ReleaseItem { Lease = lease, DelayMs = item.DelayMs }.Write(writer);
                break;
            default:
                new RescheduleItem
                {
                    Lease = lease,
                    DelayMs = item.DelayMs,
                    RunAtMs = item.RunAtMs,
                    PayloadKind = item.PayloadKind,
                    Payload = Utf8(item.Payload),
                    ContentType = Utf8(item.ContentType),
                    Priority = item.Priority,
                }.Write(writer);
                break;
        }
    }

    public static byte[] Cancel(Operation operation) => Encode((in MessagePackWriter writer) =>
        CancelCommand.Write(writer, Envelope(operation), operation.Job!.Value, operation.IfVersion));

    public static byte[] PutQueue(Operation operation, SettingsPatch patch) => Encode((in MessagePackWriter writer) =>
        PutQueueCommand.Write(
            writer,
            Envelope(operation),
            Encoding.UTF8.GetBytes(operation.Queue),
            patch.ReplaceAll,
            Encode((in MessagePackWriter settings) => patch.Write(settings))));

    private static CommandEnvelope Envelope(Operation operation)
    {
        CommandEnvelope envelope = default;
        if (operation.IdempotencyKey is not { } key) return envelope;
        envelope.ScopedKey = Hash(key);
        envelope.BodyHash = Hash(operation.KeyBody ?? "");
        return envelope;
    }

    private static byte[] Utf8(string? text) => text is null ? [] : Encoding.UTF8.GetBytes(text);

    private delegate void BodyWriter(in MessagePackWriter writer);

    private static byte[] Encode(BodyWriter write)
    {
        using var buffer = new PooledBuffer();
        write(new MessagePackWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text))[..CommandEnvelope.HashBytes];
}
