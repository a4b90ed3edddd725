using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// <c>[ envelope, queue, single, [ job, … ] ]</c>: all jobs or none. <c>single</c> asks for a result with the whole job
/// instead of one row a job. Written by <see cref="WriteStart"/> and then one <see cref="JobSpec.Write"/> a job.
/// </summary>
public ref struct EnqueueCommand
{
    public CommandEnvelope Envelope;
    public ReadOnlySpan<byte> Queue;
    public bool Single;
    public int Count;

    /// <summary>Some job refuses the batch when its unique key is held.</summary>
    public bool HasReject;

    /// <summary>Stands at the first job; take copies and read <see cref="Count"/> jobs with <see cref="JobSpec.TryRead"/>.</summary>
    public MessagePackReader Jobs;

    public static void WriteStart(
        in MessagePackWriter writer,
        in CommandEnvelope envelope,
        ReadOnlySpan<byte> queue,
        bool single,
        int jobCount)
    {
        writer.WriteArrayHeader(4);
        envelope.Write(writer);
        writer.WriteString(queue);
        writer.WriteBool(single);
        writer.WriteArrayHeader(jobCount);
    }

    /// <summary>False unless every job can be read and is within <see cref="JobLimits"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out EnqueueCommand command)
    {
        command = default;
        var reader = new MessagePackReader(body);
        if (!reader.TryReadArrayHeader(out int fields) || fields < 4) return false;
        if (!CommandEnvelope.TryRead(ref reader, out command.Envelope)) return false;
        if (!reader.TryReadString(out command.Queue) || !QueueName.IsValid(command.Queue)) return false;
        if (!reader.TryReadBool(out command.Single) || !reader.TryReadArrayHeader(out command.Count)) return false;
        if (command.Count is < 1 or > JobLimits.MaxRowsPerCommand || (command.Single && command.Count != 1)) return false;
        command.Jobs = reader;
        for (int i = 0; i < command.Count; i++)
        {
            if (!JobSpec.TryRead(ref reader, out JobSpec job)) return false;
            command.HasReject |= job.OnConflict == ConflictChoice.Reject;
        }

        return true;
    }
}
