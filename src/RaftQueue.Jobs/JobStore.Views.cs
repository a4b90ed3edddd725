using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>Writes jobs and queues as <see cref="JobView"/> and <see cref="QueueView"/> read them.</summary>
public sealed partial class JobStore
{
    private readonly ScratchBuffer _payload = new();

    private void WriteJob(in MessagePackWriter writer, long slot, in JobRecord job, bool withPayload)
    {
        RareFields rare = _jobs.Rare(job);
        _jobs.Run.Load(job.Run);
        writer.WriteArrayHeader(JobView.FieldCount);
        writer.WriteUInt64(job.Sequence);
        writer.WriteInt64(slot);
        writer.WriteString(_queues.At(job.Queue).Name);
        writer.WriteStringOrNil(rare.Type);
        writer.WriteInt64((byte)job.State);
        writer.WriteInt64OrNil(job.Reason == JobReason.None ? null : (long)job.Reason);
        writer.WriteInt64(job.Priority);
        writer.WriteInt64(job.Attempt);
        writer.WriteInt64(job.MaxAttempts);
        writer.WriteInt64(job.Runs);
        writer.WriteInt64(job.Version);
        writer.WriteInt64(job.CreatedAt);
        writer.WriteInt64(job.RunAt);
        writer.WriteInt64OrNil(_jobs.Run.StartedAt == 0 ? null : _jobs.Run.StartedAt);
        writer.WriteInt64OrNil(_jobs.Run.FinishedAt == 0 ? null : _jobs.Run.FinishedAt);
        writer.WriteNil(); // group
        writer.WriteStringOrNil(rare.UniqueKey);
        writer.WriteRawOrNil(withPayload ? rare.Tags : default);
        writer.WriteRawOrNil(withPayload ? rare.Headers : default);
        WritePayload(writer, job, withPayload);
        writer.WriteStringOrNil(rare.ContentType);
        WriteRun(writer, job);
        writer.WriteNil(); // schedule
        writer.WriteNil(); // scheduledForMs
    }

    private void WritePayload(in MessagePackWriter writer, in JobRecord job, bool withPayload)
    {
        writer.WriteInt64((byte)job.PayloadKind);
        if (!withPayload || job.PayloadKind == PayloadKind.None)
        {
            writer.WriteNil();
            return;
        }

        Span<byte> payload = _payload.Take(LengthOf(job.Payload));
        _jobs.Blobs.Read(job.Payload, payload);
        writer.WriteBinary(payload);
    }

    private void WriteRun(in MessagePackWriter writer, in JobRecord job)
    {
        RunData run = _jobs.Run;
        WriteBinaryOrNil(writer, run.Result);
        WriteBinaryOrNil(writer, run.Progress);
        writer.WriteStringOrNil(run.LastError);
        writer.WriteBool(job.Has(JobFlags.CancelRequested));
        writer.WriteArrayHeader(run.AttemptCount);
        for (int i = 0; i < run.AttemptCount; i++)
        {
            ref readonly RunAttempt attempt = ref run.Attempt(i);
            bool ended = attempt.Outcome != AttemptOutcome.Running;
            writer.WriteArrayHeader(AttemptView.FieldCount);
            writer.WriteInt64(attempt.Number);
            writer.WriteStringOrNil(run.Bytes(attempt.Worker));
            writer.WriteInt64(attempt.StartedAt);
            writer.WriteInt64OrNil(ended ? attempt.EndedAt : null);
            writer.WriteInt64((byte)attempt.Outcome);
            writer.WriteStringOrNil(run.Bytes(attempt.Error));
        }

        if (job.State != JobState.Leased)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(3);
        writer.WriteStringOrNil(run.Bytes(run.Attempt(run.AttemptCount - 1).Worker));
        writer.WriteUInt64(job.Fence);
        writer.WriteInt64(job.Time);
    }

    private static void WriteBinaryOrNil(in MessagePackWriter writer, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) writer.WriteNil();
        else writer.WriteBinary(bytes);
    }

    private void WriteQueue(in MessagePackWriter writer, QueueState queue)
    {
        writer.WriteArrayHeader(QueueView.FieldCount);
        writer.WriteString(queue.Name);
        byte[] settings = _queues.ReadSettings(queue);
        if (settings.Length == 0) writer.WriteMapHeader(0);
        else writer.WriteRaw(settings);
        writer.WriteBool(false); // paused
        writer.WriteArrayHeader(JobStates.Count);
        for (int state = 0; state < JobStates.Count; state++) writer.WriteInt64(queue.Count((JobState)state));
        writer.WriteInt64OrNil(OldestReadyAt(queue));
        writer.WriteInt64(queue.EnqueuedTotal);
        writer.WriteInt64(queue.SucceededTotal);
        writer.WriteInt64(queue.FailedTotal);
    }

    /// <summary>When the earliest of the jobs at the heads of the ready lists became due; null when no job is ready.</summary>
    private long? OldestReadyAt(QueueState queue)
    {
        long? oldest = null;
        for (int priority = 0; priority < QueueState.Priorities; priority++)
        {
            long head = queue.Ready(priority).Head;
            if (head == 0) continue;
            long due = Math.Min(_jobs.Load(head).RunAt, Math.Max(_now, LastTimestampMs));
            if (oldest is null || due < oldest) oldest = due;
        }

        return oldest;
    }
}
