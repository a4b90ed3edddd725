using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Bodies of the commands that tests send, and what tests read of results.</summary>
internal static class TestCommands
{
    public static byte[] Enqueue(ReadOnlySpan<byte> queue, ReadOnlySpan<byte> payload, long? delayMs)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        EnqueueCommand.WriteStart(writer, default, queue, single: true, 1);
        new JobSpec { PayloadKind = PayloadKind.Json, Payload = payload, DelayMs = delayMs }.Write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <param name="queue">Its name.</param>
    /// <param name="maxJobs">At most so many.</param>
    /// <param name="leaseMs">For so long.</param>
    /// <param name="key">0, or stands for an idempotency key.</param>
    /// <param name="pullAheadMs">How much too early a scheduled job may come.</param>
    public static byte[] Lease(ReadOnlySpan<byte> queue, int maxJobs, long leaseMs, byte key = 0, long pullAheadMs = 0)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        scoped CommandEnvelope envelope = default;
        Span<byte> hash = stackalloc byte[CommandEnvelope.HashBytes];
        hash.Fill(key);
        if (key != 0)
        {
            envelope.ScopedKey = hash;
            envelope.BodyHash = hash;
        }

        LeaseCommand.WriteStart(writer, envelope, 1);
        writer.WriteString(queue);
        LeaseCommand.WriteEnd(writer, maxJobs, leaseMs, "tester"u8, pullAheadMs, 8 << 20);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Ack(JobId job, ulong fence)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        TokenCommand.WriteStart(writer, default, 1);
        new AckItem { Lease = new LeaseReference(job.Slot, job.Sequence, fence) }.Write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What became of the one token of a call.</summary>
    public static TokenStatus Status(in CommandOutcome outcome)
    {
        Require.Readable(CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result));
        MessagePackReader body = result.Body;
        Require.Readable(body.TryReadArrayHeader(out _));
        Require.Readable(TokenRow.TryRead(ref body, out TokenRow row));
        return row.Status;
    }

    /// <summary>What a lease result grants.</summary>
    public static List<(JobId Job, ulong Fence, string Payload)> Grants(in CommandOutcome outcome)
    {
        var grants = new List<(JobId, ulong, string)>();
        if (outcome.Code != ResultCode.Ok) return grants;
        Require.Readable(CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result));
        MessagePackReader body = result.Body;
        Require.Readable(body.TryReadArrayHeader(out int count));
        for (int i = 0; i < count; i++)
        {
            Require.Readable(GrantView.TryRead(ref body, out GrantView grant));
            var id = new JobId(grant.Job.Sequence, outcome.Shard, grant.Job.Slot);
            grants.Add((id, grant.Fence, System.Text.Encoding.UTF8.GetString(grant.Job.Payload)));
        }

        return grants;
    }
}
