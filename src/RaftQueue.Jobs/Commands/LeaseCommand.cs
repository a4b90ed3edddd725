using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// <c>[ envelope, [ queue, … ], maxJobs, leaseMs|nil, worker|nil, pullAheadMs, maxBytes ]</c>. Queues in strict order. The bytes
/// are those of payloads, tags, headers and past attempts; one job is granted however large.
/// </summary>
public ref struct LeaseCommand
{
    public CommandEnvelope Envelope;
    public int QueueCount;

    /// <summary>Stands at the first name; take copies and read <see cref="QueueCount"/> strings.</summary>
    public MessagePackReader Queues;
    public int MaxJobs;

    /// <summary>Null: the queue's default.</summary>
    public long? LeaseMs;
    public ReadOnlySpan<byte> Worker;
    public long PullAheadMs;
    public long MaxBytes;

    /// <summary>The first part; <paramref name="queueCount"/> names follow, written as strings, and then <see cref="WriteEnd"/>.</summary>
    public static void WriteStart(in MessagePackWriter writer, in CommandEnvelope envelope, int queueCount)
    {
        writer.WriteArrayHeader(7);
        envelope.Write(writer);
        writer.WriteArrayHeader(queueCount);
    }

    public static void WriteEnd(
        in MessagePackWriter writer,
        int maxJobs,
        long? leaseMs,
        ReadOnlySpan<byte> worker,
        long pullAheadMs,
        long maxBytes)
    {
        writer.WriteInt64(maxJobs);
        writer.WriteInt64OrNil(leaseMs);
        writer.WriteStringOrNil(worker);
        writer.WriteInt64(pullAheadMs);
        writer.WriteInt64(maxBytes);
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out LeaseCommand command)
    {
        command = default;
        var reader = new MessagePackReader(body);
        if (!reader.TryReadArrayHeader(out int fields) || fields < 7) return false;
        if (!CommandEnvelope.TryRead(ref reader, out command.Envelope)) return false;
        if (!reader.TryReadArrayHeader(out command.QueueCount)) return false;
        if (command.QueueCount is < 1 or > JobLimits.MaxQueuesPerLease) return false;
        command.Queues = reader;
        for (int i = 0; i < command.QueueCount; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> name) || !QueueName.IsValid(name)) return false;
        }

        return reader.TryReadInt32(out command.MaxJobs)
            && command.MaxJobs is >= 1 and <= JobLimits.MaxJobsPerLease
            && reader.TryReadInt64OrNil(out command.LeaseMs)
            && Bounds.IsDurationOrNull(command.LeaseMs)
            && command.LeaseMs is not 0
            && reader.TryReadStringOrNil(out command.Worker, out _)
            && command.Worker.Length <= JobLimits.MaxWorkerBytes
            && reader.TryReadInt64(out command.PullAheadMs)
            && Bounds.IsDuration(command.PullAheadMs)
            && reader.TryReadInt64(out command.MaxBytes);
    }
}
