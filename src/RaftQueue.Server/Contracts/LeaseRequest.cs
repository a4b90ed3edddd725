using System.Text;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Contracts;

/// <summary>The body of a lease request.</summary>
public sealed class LeaseRequest : BodyRequest
{
    private static readonly Fields Names = new("queues", "maxJobs", "leaseMs", "waitMs", "worker", "pullAheadMs");
    private readonly RequestLimits _limits;
    private readonly RequestErrors _errors;
    private readonly List<byte[]> _queues = [];
    private byte[] _worker = [];

    public LeaseRequest(RequestLimits limits, RequestScratch scratch)
    {
        _limits = limits;
        _errors = scratch.Errors;
    }

    /// <summary>Names in the order in which they are asked.</summary>
    public IReadOnlyList<byte[]> Queues => _queues;

    public int MaxJobs { get; private set; } = 1;

    /// <summary>Null: the queue's own.</summary>
    public long? LeaseMs { get; private set; }

    public long WaitMs { get; private set; }

    public long PullAheadMs { get; private set; }

    public override void Read(scoped ref ValueReader reader)
    {
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add("Must be an object with queues and what else is wanted.");
            reader.Skip();
            return;
        }

        ulong seen = 0;
        while (Names.Next(ref reader, ref left, ref seen, _errors, out int field)) ReadField(ref reader, field);
        if ((seen & 1) == 0) _errors.Add("queues", "Is missing: the names of the queues to lease from.");
    }

    /// <summary>The command bodies, one for each run of queues on one shard, in strict order.</summary>
    public IReadOnlyList<(ShardId Shard, byte[] Body)> Segments(int shards, IdempotencyKey? key)
    {
        var segments = new List<(ShardId, byte[])>(1);
        using var buffer = new PooledBuffer(512);
        for (int start = 0; start < _queues.Count;)
        {
            ShardId shard = QueueName.ShardOf(_queues[start], shards);
            int end = start + 1;
            while (end < _queues.Count && QueueName.ShardOf(_queues[end], shards) == shard) end++;
            buffer.Clear();
            WriteSegment(new MessagePackWriter(buffer), key, start, end);
            segments.Add((shard, buffer.WrittenSpan.ToArray()));
            start = end;
        }

        return segments;
    }

    private void WriteSegment(MessagePackWriter writer, IdempotencyKey? key, int start, int end)
    {
        LeaseCommand.WriteStart(writer, key is null ? default : key.Envelope, end - start);
        for (int i = start; i < end; i++) writer.WriteString(_queues[i].AsSpan());
        LeaseCommand.WriteEnd(writer, MaxJobs, LeaseMs, _worker, PullAheadMs, _limits.LeaseBytes);
    }

    private void ReadField(scoped ref ValueReader reader, int field)
    {
        string name = Names.NameOf(field);
        switch (field)
        {
            case 0: ReadQueues(ref reader); break;
            case 1: MaxJobs = (int)(FieldReading.Integer(ref reader, _errors, name, 1, _limits.LeaseJobs) ?? 1); break;
            case 2: LeaseMs = FieldReading.Integer(ref reader, _errors, name, _limits.MinLeaseMs, _limits.MaxLeaseMs); break;
            case 3: WaitMs = FieldReading.Integer(ref reader, _errors, name, 0, _limits.WaitMs) ?? 0; break;
            case 4: _worker = FieldReading.String(ref reader, _errors, name, _limits.KeyBytes).ToArray(); break;
            default: PullAheadMs = FieldReading.Duration(ref reader, _errors, name) ?? 0; break;
        }
    }

    private void ReadQueues(scoped ref ValueReader reader)
    {
        if (!reader.TryOpenArray(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "queues", "Must be an array of queue names.");
            return;
        }

        int count = 0;
        _errors.Enter("queues");
        for (; reader.NextItem(ref left); count++)
        {
            _errors.Enter(count);
            if (count < _limits.LeaseQueues) ReadQueue(ref reader);
            else reader.Skip();
            _errors.Leave();
        }

        _errors.Leave();
        if (count == 0) _errors.Add("queues", "Must name at least one queue.");
        if (count > _limits.LeaseQueues) _errors.Add("queues", $"Must name at most {_limits.LeaseQueues} queues, and names {count}.");
    }

    private void ReadQueue(scoped ref ValueReader reader)
    {
        if (reader.TryTakeString(out ReadOnlySpan<byte> name))
        {
            if (!QueueName.IsValid(name)) _errors.Add(NameRule);
            else if (Contains(name)) _errors.Add($"\"{Encoding.UTF8.GetString(name)}\" is named twice.");
            else _queues.Add(name.ToArray());
            return;
        }

        _errors.Add(reader.Kind == ValueKind.Object ? "A queue with a weight is not available yet in this version." : "Must be a string.");
        reader.Skip();
    }

    private bool Contains(ReadOnlySpan<byte> name)
    {
        foreach (byte[] queue in _queues)
        {
            if (name.SequenceEqual(queue)) return true;
        }

        return false;
    }

    /// <summary>What names of queues may be.</summary>
    public const string NameRule = "A queue's name is 1 to 128 of A-Z, a-z, 0-9 and . _ : -";
}
