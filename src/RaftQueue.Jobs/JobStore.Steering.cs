using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>Cancelling jobs and setting up queues.</summary>
public sealed partial class JobStore
{
    private readonly PooledBuffer _merged = new();

    private ResultCode ApplyCancel(ReadOnlySpan<byte> body)
    {
        if (!CancelCommand.TryRead(body, out CancelCommand command)) return ResultCode.InvalidCommand;
        if (IsDecidedByKey(command.Envelope, out ResultCode code)) return code;
        if (!TryTouch(command.Slot, command.Sequence, out JobRecord job, out QueueState queue)) return ResultCode.JobNotFound;
        if (command.IfVersion is { } version && version != job.Version) return ResultCode.VersionMismatch;
        if (job.State is JobState.Succeeded or JobState.Dead) return ResultCode.WrongState;
        if (job.State == JobState.Leased)
        {
            if (!job.Has(JobFlags.CancelRequested))
            {
                job.Set(JobFlags.CancelRequested);
                job.Version++;
                _jobs.Save(command.Slot, job);
            }
        }
        else if (job.State != JobState.Cancelled)
        {
            Finish(queue, command.Slot, ref job, JobState.Cancelled, JobReason.None, runLoaded: false);
        }

        Note(job.Sequence);
        if (_render) WriteJob(new MessagePackWriter(_body), command.Slot, _jobs.Load(command.Slot), withPayload: !_output.IsCrowded);
        TrimAfterFinish();
        return Remember(command.Envelope, CommandType.Cancel, ResultCode.Ok);
    }

    private ResultCode ApplyPutQueue(ReadOnlySpan<byte> body)
    {
        if (!PutQueueCommand.TryRead(body, out PutQueueCommand command)) return ResultCode.InvalidCommand;
        if (IsDecidedByKey(command.Envelope, out ResultCode code)) return code;
        QueueState? queue = _queues.Find(command.Queue);
        bool created = queue is null;
        if (created && _queues.Count >= Settings.MaxQueues) return ResultCode.TooManyQueues;
        ReadOnlySpan<byte> before = queue is null || command.ReplaceAll ? default : _queues.ReadSettings(queue);
        _merged.Clear();
        if (!MapMerge.TryMerge(before, command.Settings, new MessagePackWriter(_merged))) return ResultCode.InvalidCommand;
        if (_merged.Length > JobLimits.MaxSettingsBytes) return ResultCode.InvalidCommand;
        if (!QueueSettings.TryParse(_merged.WrittenSpan, out QueueSettings settings)) return ResultCode.InvalidCommand;

        queue ??= _queues.Create(command.Queue);
        _queues.SetSettings(queue, _merged.WrittenSpan, settings);
        TrimLater(queue);
        Note(queue.Page.Value);
        if (_render)
        {
            var writer = new MessagePackWriter(_body);
            writer.WriteArrayHeader(2);
            writer.WriteBool(created);
            WriteQueue(writer, queue);
        }

        return Remember(command.Envelope, CommandType.PutQueue, ResultCode.Ok);
    }
}
