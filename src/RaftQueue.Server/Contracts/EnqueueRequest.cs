using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>The body of an enqueue request, turned straight into the body of its command.</summary>
public sealed class EnqueueRequest : BodyRequest
{
    private readonly RequestLimits _limits;
    private readonly RequestScratch _scratch;
    private readonly RequestErrors _errors;
    private readonly JobParser _parser;
    private readonly byte[] _queue;
    private readonly IdempotencyKey? _key;

    /// <param name="queue">A valid name.</param>
    /// <param name="traceParent">The request's trace context, or empty.</param>
    public EnqueueRequest(
        RequestLimits limits,
        RequestScratch scratch,
        byte[] queue,
        IdempotencyKey? key,
        ReadOnlyMemory<byte> traceParent)
    {
        _limits = limits;
        _scratch = scratch;
        _errors = scratch.Errors;
        _queue = queue;
        _key = key;
        _parser = new JobParser(limits, scratch, traceParent);
    }

    /// <summary>One job, answered as a whole; otherwise a batch, answered with a row a job.</summary>
    public bool IsSingle { get; private set; } = true;

    /// <summary>Jobs in the request.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>Leaves the command's body in <see cref="RequestScratch.Command"/>.</summary>
    public override void Read(scoped ref ValueReader reader)
    {
        _scratch.Command.Clear();
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add("Must be an object: one job, or {\"jobs\": [ … ]}.");
            reader.Skip();
            return;
        }

        var job = new JobSpec();
        ulong seen = 0;
        _parser.Begin();
        while (JobParser.Names.Next(ref reader, ref left, ref seen, _errors, out int field))
        {
            if (field == JobParser.JobsField) ReadBatch(ref reader);
            else _parser.ReadField(ref reader, ref job, field);
        }

        if (IsSingle)
        {
            _parser.Finish(ref job, seen);
            WriteSingle(job);
        }
        else if ((seen & ~(1UL << JobParser.JobsField)) != 0)
        {
            _errors.Add("jobs", "A batch has only this field; what belongs to a job stands in the job.");
        }
    }

    private void WriteSingle(JobSpec job)
    {
        if (_errors.Any) return;
        var writer = new MessagePackWriter(_scratch.Command);
        EnqueueCommand.WriteStart(writer, Envelope, _queue, single: true, jobCount: 1);
        job.Write(writer);
    }

    private CommandEnvelope Envelope => _key is null ? default : _key.Envelope;

    private void ReadBatch(scoped ref ValueReader reader)
    {
        IsSingle = false;
        Count = 0;
        if (!reader.TryOpenArray(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "jobs", "Must be an array of jobs.");
            return;
        }

        var writer = new MessagePackWriter(_scratch.Command);
        EnqueueCommand.WriteStart(writer, Envelope, _queue, single: false, jobCount: ushort.MaxValue);
        int header = _scratch.Command.Length - MessagePackPatching.HeaderBytes;
        _errors.Enter("jobs");
        for (; reader.NextItem(ref left); Count++)
        {
            if (Count < _limits.BatchJobs) ReadJob(ref reader, writer);
            else reader.Skip();
        }

        _errors.Leave();
        if (Count > _limits.BatchJobs) _errors.Add("jobs", $"Must be at most {_limits.BatchJobs} jobs, and are {Count}.");
        if (Count == 0) _errors.Add("jobs", "Must be at least one job.");
        MessagePackPatching.SetCount(_scratch.Command, header, Count);
    }

    private void ReadJob(scoped ref ValueReader reader, MessagePackWriter writer)
    {
        var job = new JobSpec();
        _errors.Enter(Count);
        _parser.Read(ref reader, ref job);
        _errors.Leave();
        if (!_errors.Any) job.Write(writer);
    }
}
