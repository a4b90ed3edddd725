using System.Text;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>Bodies of commands from plain types.</summary>
public static class Bodies
{
    public static byte[] Enqueue(string queue, bool single, IReadOnlyList<PlainJob> jobs, (int Key, int Body)? idempotency = null) =>
        Command.Encode((in MessagePackWriter writer) =>
        {
            EnqueueCommand.WriteStart(writer, Envelope(idempotency), Encoding.UTF8.GetBytes(queue), single, jobs.Count);
            foreach (PlainJob job in jobs) job.Write(writer);
        });

    public static byte[] Lease(
        IReadOnlyList<string> queues,
        int maxJobs = 1,
        long? leaseMs = null,
        string? worker = null,
        long pullAheadMs = 0,
        long maxBytes = 8 << 20,
        (int Key, int Body)? idempotency = null) => Command.Encode((in MessagePackWriter writer) =>
        {
            LeaseCommand.WriteStart(writer, Envelope(idempotency), queues.Count);
            foreach (string queue in queues) writer.WriteString(queue);
            LeaseCommand.WriteEnd(writer, maxJobs, leaseMs, Encoding.UTF8.GetBytes(worker ?? ""), pullAheadMs, maxBytes);
        });

    public static byte[] Ack(IReadOnlyList<LeaseToken> tokens, string? result = null, (int Key, int Body)? idempotency = null) =>
        Tokens(tokens, idempotency, (LeaseToken token, in MessagePackWriter writer) =>
            new AckItem { Lease = LeaseReference.Of(token), Result = Utf8(result) }.Write(writer));

    public static byte[] Nack(
        IReadOnlyList<LeaseToken> tokens, string? error = null, long? delayMs = null, bool dead = false, (int Key, int Body)? idempotency = null) =>
        Tokens(tokens, idempotency, (LeaseToken token, in MessagePackWriter writer) =>
            new NackItem { Lease = LeaseReference.Of(token), Error = Utf8(error), DelayMs = delayMs, Dead = dead }.Write(writer));

    public static byte[] Extend(IReadOnlyList<LeaseToken> tokens, long leaseMs, string? progress = null, (int Key, int Body)? idempotency = null) =>
        Tokens(tokens, idempotency, (LeaseToken token, in MessagePackWriter writer) =>
            new ExtendItem { Lease = LeaseReference.Of(token), LeaseMs = leaseMs, Progress = Utf8(progress) }.Write(writer));

    public static byte[] Release(IReadOnlyList<LeaseToken> tokens, long? delayMs = null, (int Key, int Body)? idempotency = null) =>
        Tokens(tokens, idempotency, (LeaseToken token, in MessagePackWriter writer) =>
            new ReleaseItem { Lease = LeaseReference.Of(token), DelayMs = delayMs }.Write(writer));

    public static byte[] Revoke(IReadOnlyList<LeaseToken> tokens) =>
        Tokens(tokens, null, (LeaseToken token, in MessagePackWriter writer) =>
            new RevokeItem { Lease = LeaseReference.Of(token) }.Write(writer));

    public static byte[] Reschedule(
        IReadOnlyList<LeaseToken> tokens,
        long? delayMs = null,
        long? runAtMs = null,
        string? payload = null,
        int? priority = null,
        (int Key, int Body)? idempotency = null) => Tokens(tokens, idempotency, (LeaseToken token, in MessagePackWriter writer) =>
            new RescheduleItem
            {
                Lease = LeaseReference.Of(token),
                DelayMs = delayMs,
                RunAtMs = runAtMs,
                PayloadKind = payload is null ? null : PayloadKind.Json,
                Payload = Utf8(payload),
                Priority = priority,
            }.Write(writer));

    public static byte[] Cancel(JobId id, long? ifVersion = null) =>
        Command.Encode((in MessagePackWriter writer) => CancelCommand.Write(writer, default, id, ifVersion));

    public static byte[] PutQueue(string queue, bool replaceAll, BodyWriter settings) =>
        Command.Encode((in MessagePackWriter writer) =>
            PutQueueCommand.Write(writer, default, Encoding.UTF8.GetBytes(queue), replaceAll, Command.Encode(settings)));

    public static byte[] Settings(ReplicatedSettings settings) =>
        Command.Encode((in MessagePackWriter writer) => SettingsCommand.Write(writer, settings));

    public static byte[] Empty() => Command.Encode((in MessagePackWriter writer) => EmptyCommand.Write(writer));

    private delegate void ItemWriter(LeaseToken token, in MessagePackWriter writer);

    private static byte[] Tokens(IReadOnlyList<LeaseToken> tokens, (int Key, int Body)? idempotency, ItemWriter item) =>
        Command.Encode((in MessagePackWriter writer) =>
        {
            TokenCommand.WriteStart(writer, Envelope(idempotency), tokens.Count);
            foreach (LeaseToken token in tokens) item(token, writer);
        });

    private static CommandEnvelope Envelope((int Key, int Body)? idempotency)
    {
        if (idempotency is not { } given) return default;
        byte[] key = new byte[CommandEnvelope.HashBytes];
        byte[] body = new byte[CommandEnvelope.HashBytes];
        BitConverter.TryWriteBytes(key, given.Key + 1);
        BitConverter.TryWriteBytes(body, given.Body + 1);
        return new CommandEnvelope { ScopedKey = key, BodyHash = body };
    }

    private static byte[] Utf8(string? text) => text is null ? [] : Encoding.UTF8.GetBytes(text);
}
