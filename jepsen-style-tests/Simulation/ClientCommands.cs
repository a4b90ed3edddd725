using System.Security.Cryptography;
using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Bodies of the commands that the clients of a chaos run send, and what they read of results.</summary>
internal static class ClientCommands
{

    /// <summary>The payload's name followed by as much filler as makes it the wanted size.</summary>
    public static string Padded(string name, int bytes) => name + new string(JobSnapshot.Filler, Math.Max(0, bytes - name.Length));

    /// <summary>The name alone.</summary>
    public static string ShortPayload(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload).TrimEnd(JobSnapshot.Filler);

    public static byte[] Enqueue(Operation operation, int payloadBytes, ConflictChoice onConflict)
    {
        byte[] payload = Encoding.UTF8.GetBytes(Padded(operation.Payload, payloadBytes));
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        CommandEnvelope envelope = default;
        if (operation.IdempotencyKey is { } key)
        {
            envelope.ScopedKey = Hash(Encoding.UTF8.GetBytes(key));
            envelope.BodyHash = Hash(payload);
        }

        EnqueueCommand.WriteStart(writer, envelope, Encoding.UTF8.GetBytes(operation.Queue), single: true, 1);
        var spec = new JobSpec
        {
            PayloadKind = PayloadKind.Bytes,
            Payload = payload,
            DelayMs = operation.DelayMs,
            MaxAttempts = 20,
            Retry = new RetryPolicy(BackoffKind.Fixed, 300, 300, 0),
        };
        if (operation.UniqueKey is { } unique)
        {
            spec.UniqueKey = Encoding.UTF8.GetBytes(unique);
            spec.UniqueUntil = UniqueUntil.Finished;
            spec.OnConflict = onConflict;
        }

        spec.Write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Lease(IReadOnlyList<string> queues, string worker, int maxJobs, long leaseMs, long pullAheadMs = 0)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        LeaseCommand.WriteStart(writer, default, queues.Count);
        foreach (string queue in queues) writer.WriteString(Encoding.UTF8.GetBytes(queue));
        LeaseCommand.WriteEnd(writer, maxJobs, leaseMs, Encoding.UTF8.GetBytes(worker), pullAheadMs, 8 << 20);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The body of a call on one lease token.</summary>
    public static byte[] Token(Operation operation)
    {
        JobId job = operation.Job!.Value;
        var lease = new LeaseReference(job.Slot, job.Sequence, operation.Fence);
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        TokenCommand.WriteStart(writer, default, 1);
        switch (operation.Kind)
        {
            case OperationKind.Ack:
                new AckItem { Lease = lease, Result = "1"u8 }.Write(writer);
                break;
            case OperationKind.Nack:
                new NackItem { Lease = lease, Error = "no"u8, DelayMs = operation.DelayMs, Dead = operation.Dead }.Write(writer);
                break;
            case OperationKind.Extend:
                new ExtendItem { Lease = lease, LeaseMs = operation.DelayMs!.Value }.Write(writer);
                break;
            case OperationKind.Release:
                new ReleaseItem { Lease = lease, DelayMs = operation.DelayMs }.Write(writer);
                break;
            default:
                new RescheduleItem { Lease = lease, DelayMs = operation.DelayMs }.Write(writer);
                break;
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Cancel(JobId job)
    {
        using var buffer = new PooledBuffer();
        CancelCommand.Write(new MessagePackWriter(buffer), default, job, ifVersion: null);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Notes what the outcome of a command says.</summary>
    public static void Note(Operation operation, in CommandOutcome outcome)
    {
        operation.End = outcome.Kind switch
        {
            OutcomeKind.Applied => OperationEnd.Applied,
            OutcomeKind.NotApplied => OperationEnd.NotApplied,
            _ => OperationEnd.Info,
        };
        if (outcome.Kind != OutcomeKind.Applied) return;
        operation.Code = outcome.Code;
        operation.Index = outcome.Index;
        operation.Shard = outcome.Shard;
        if (outcome.Result.IsEmpty) return;
        Require.Readable(CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result));
        operation.Replayed = result.Replayed;
        if (outcome.Code != ResultCode.Ok) return;
        MessagePackReader body = result.Body;
        switch (operation.Kind)
        {
            case OperationKind.Enqueue:
                Require.Readable(SingleEnqueueView.TryRead(ref body, out SingleEnqueueView enqueued));
                operation.Created = enqueued.Created;
                operation.Job = new JobId(enqueued.Job.Sequence, outcome.Shard, enqueued.Job.Slot);
                break;
            case OperationKind.Lease:
                operation.Grants = Grants(outcome.Shard, outcome.Index, body);
                break;
            case OperationKind.Extend:
                Require.Readable(body.TryReadArrayHeader(out _));
                Require.Readable(ExtendRow.TryRead(ref body, out ExtendRow extended));
                operation.Status = extended.Status;
                operation.ExpiresAtMs = extended.ExpiresAtMs;
                break;
            case OperationKind.Cancel:
                break;
            default:
                Require.Readable(body.TryReadArrayHeader(out _));
                Require.Readable(TokenRow.TryRead(ref body, out TokenRow row));
                operation.Status = row.Status;
                break;
        }
    }

    private static List<Grant> Grants(ShardId shard, LogIndex index, MessagePackReader body)
    {
        var grants = new List<Grant>();
        Require.Readable(body.TryReadArrayHeader(out int count));
        for (int i = 0; i < count; i++)
        {
            Require.Readable(GrantView.TryRead(ref body, out GrantView grant));
            grants.Add(new Grant(
                new JobId(grant.Job.Sequence, shard, grant.Job.Slot),
                grant.Fence,
                Encoding.UTF8.GetString(grant.Job.Queue),
                ShortPayload(grant.Job.Payload),
                grant.Job.RunAtMs,
                grant.Job.Attempt,
                grant.ExpiresAtMs,
                index));
        }

        return grants;
    }

    private static byte[] Hash(byte[] data) => SHA256.HashData(data)[..CommandEnvelope.HashBytes];
}
