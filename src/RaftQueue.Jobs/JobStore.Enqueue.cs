using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>New jobs: defaults, unique keys, replacing the holder of a key.</summary>
public sealed partial class JobStore
{
    private ulong[] _batchHashes = new ulong[128];

    private ResultCode ApplyEnqueue(ReadOnlySpan<byte> body)
    {
        if (!EnqueueCommand.TryRead(body, out EnqueueCommand command)) return ResultCode.InvalidCommand;
        if (IsDecidedByKey(command.Envelope, out ResultCode code)) return code;
        QueueState? queue = _queues.Find(command.Queue);
        if (queue is null && _queues.Count >= Settings.MaxQueues) return ResultCode.TooManyQueues;
        if (Settings.StateHighWaterPages > 0 && _pages.AllocatedPages > Settings.StateHighWaterPages) return ResultCode.StateFull;
        if (command.HasReject && IsRefused(queue, command)) return ResultCode.UniqueConflict;

        queue ??= _queues.Create(command.Queue);
        _queues.MarkDirty(queue);
        var writer = new MessagePackWriter(_body);
        if (_render && !command.Single) writer.WriteArrayHeader(command.Count);
        MessagePackReader jobs = command.Jobs;
        for (int i = 0; i < command.Count; i++)
        {
            Invariant.That(JobSpec.TryRead(ref jobs, out JobSpec spec), "the jobs were read once already");
            EnqueueOne(queue, spec, command.Single, writer);
        }

        return Remember(command.Envelope, CommandType.Enqueue, ResultCode.Ok);
    }

    private void EnqueueOne(QueueState queue, scoped in JobSpec spec, bool single, in MessagePackWriter writer)
    {
        ReadOnlySpan<byte> key = KeyOf(queue, spec);
        long holder = key.IsEmpty ? 0 : FindHolder(queue, key);
        bool? replaced = null;
        if (holder != 0 && spec.OnConflict == ConflictChoice.Replace) replaced = TryReplace(queue, holder, spec);
        long slot = holder != 0 ? holder : Create(queue, spec, key);
        Note((ulong)slot);
        if (!_render) return;
        JobRecord job = _jobs.Load(slot);
        if (single)
        {
            writer.WriteArrayHeader(SingleEnqueueView.FieldCount);
        }
        else
        {
            writer.WriteArrayHeader(EnqueueRow.FieldCount);
            writer.WriteUInt64(job.Sequence);
            writer.WriteInt64(slot);
            writer.WriteInt64((byte)job.State);
        }

        writer.WriteBool(holder == 0);
        writer.WriteBool(holder != 0);
        if (replaced is { } known) writer.WriteBool(known);
        else writer.WriteNil();
        if (single) WriteJob(writer, slot, job, withPayload: false);
    }

    /// <summary>The job's own key, else what the queue's <c>uniqueBy</c> makes of its payload, else empty.</summary>
    private ReadOnlySpan<byte> KeyOf(QueueState? queue, scoped in JobSpec spec)
    {
        if (!spec.UniqueKey.IsEmpty) return spec.UniqueKey;
        if (queue is null || queue.Settings.UniqueBy.Count == 0) return default;
        return _derivedKey.Of(queue.Settings.UniqueBy, spec.PayloadKind, spec.Payload);
    }

    /// <summary>Who holds the key at the entry's stamp, 0 for nobody.</summary>
    private long FindHolder(QueueState queue, ReadOnlySpan<byte> key)
    {
        long slot = _keys.Find(queue.Page.Value, key);
        if (slot == 0 || !IsBehind) return slot;
        JobRecord job = _jobs.Load(slot);
        Settle(queue, slot, ref job);
        if (job.Sequence != 0 && job.Has(JobFlags.KeyUntilWindow) && _jobs.Rare(job).WindowEndMs <= _now) EndWindow(slot);
        return _keys.Find(queue.Page.Value, key);
    }

    /// <summary>Finds the jobs that refuse the batch and writes them as its result.</summary>
    private bool IsRefused(QueueState? queue, scoped in EnqueueCommand command)
    {
        if (command.Count > _batchHashes.Length) _batchHashes = new ulong[command.Count];
        uint page = queue?.Page.Value ?? 0;
        var writer = new MessagePackWriter(_body);
        for (int pass = 0, refusals = 0; pass < 2; pass++)
        {
            if (pass == 1)
            {
                if (refusals == 0) return false;
                if (_render) writer.WriteArrayHeader(refusals);
            }

            MessagePackReader jobs = command.Jobs;
            for (int i = 0; i < command.Count; i++)
            {
                Invariant.That(JobSpec.TryRead(ref jobs, out JobSpec spec), "the jobs were read once already");
                ReadOnlySpan<byte> key = KeyOf(queue, spec);
                _batchHashes[i] = key.IsEmpty ? 0 : _keys.HashOf(page, key);
                if (spec.OnConflict != ConflictChoice.Reject || spec.UniqueKey.IsEmpty) continue;
                long holder = queue is null ? 0 : FindHolder(queue, key);
                if (holder == 0 && !IsTakenEarlier(queue, command, i, key)) continue;
                if (pass == 0) refusals++;
                else if (_render) WriteRefusal(writer, i, holder);
            }
        }

        return true;
    }

    private bool IsTakenEarlier(QueueState? queue, scoped in EnqueueCommand command, int index, scoped ReadOnlySpan<byte> key)
    {
        ReadOnlySpan<ulong> earlier = _batchHashes.AsSpan(0, index);
        if (!earlier.Contains(_batchHashes[index])) return false;
        MessagePackReader jobs = command.Jobs;
        for (int i = 0; i < index; i++)
        {
            Invariant.That(JobSpec.TryRead(ref jobs, out JobSpec spec), "the jobs were read once already");
            if (earlier[i] == _batchHashes[index] && KeyOf(queue, spec).SequenceEqual(key)) return true;
        }

        return false;
    }

    private void WriteRefusal(in MessagePackWriter writer, int index, long holder)
    {
        writer.WriteArrayHeader(RefusalRow.FieldCount);
        writer.WriteInt64(index);
        writer.WriteInt64((byte)ResultCode.UniqueConflict);
        if (holder == 0)
        {
            writer.WriteNil();
            writer.WriteNil();
            return;
        }

        writer.WriteUInt64(_jobs.Load(holder).Sequence);
        writer.WriteInt64(holder);
    }

    private long Create(QueueState queue, scoped in JobSpec spec, ReadOnlySpan<byte> key)
    {
        JobDefaults defaults = queue.Settings.Defaults;
        long slot = _jobs.Allocate();
        var job = new JobRecord
        {
            Sequence = ++_root.LastSequence,
            Queue = queue.Page.Value,
            Priority = (byte)(spec.Priority ?? defaults.Priority ?? 0),
            Version = 1,
            MaxAttempts = (uint)(spec.MaxAttempts ?? defaults.MaxAttempts ?? Settings.DefaultMaxAttempts),
            CreatedAt = _now,
            RunAt = DueTime(spec.DelayMs, spec.RunAtMs, defaults.DelayMs),
        };
        _jobs.SetPayload(ref job, spec.PayloadKind, spec.Payload);
        var rare = new RareFields
        {
            ExpireAfterMs = spec.ExpireAfterMs ?? defaults.ExpireAfterMs,
            KeepMs = spec.KeepMs ?? defaults.KeepMs,
            KeepDeadMs = spec.KeepDeadMs ?? defaults.KeepDeadMs,
            Retry = spec.Retry ?? defaults.Retry,
            Type = spec.Type.IsEmpty ? defaults.Type : spec.Type,
            ContentType = ContentTypeOf(spec, defaults),
            UniqueKey = key,
            Tags = spec.Tags.IsEmpty ? defaults.Tags : spec.Tags,
            Headers = spec.Headers.IsEmpty ? defaults.Headers : spec.Headers,
        };
        if (!key.IsEmpty) TakeKey(queue, slot, ref job, spec, ref rare);
        _jobs.SetRare(ref job, rare);
        ArmExpiry(slot, ref job, rare.ExpireAfterMs);
        queue.EnqueuedTotal++;
        Wait(queue, slot, ref job, retry: false);
        return slot;
    }

    private void TakeKey(QueueState queue, long slot, ref JobRecord job, scoped in JobSpec spec, scoped ref RareFields rare)
    {
        UniqueUntil until = spec.UniqueKey.IsEmpty ? UniqueUntil.Finished : spec.UniqueUntil;
        if (until == UniqueUntil.Window)
        {
            if (spec.UniqueWindowMs == 0) return;
            rare.WindowEndMs = _now + spec.UniqueWindowMs;
            job.Set(JobFlags.KeyUntilWindow);
            _timers.Insert(TimerKind.UniqueWindow, _now + spec.UniqueWindowMs, job.Sequence, slot);
        }
        else if (until == UniqueUntil.Leased)
        {
            job.Set(JobFlags.KeyUntilLeased);
        }

        job.Set(JobFlags.HoldsKey);
        _keys.Take(queue.Page.Value, rare.UniqueKey, slot);
    }

    /// <summary>
    /// Gives the holder the newcomer's payload, headers, priority, tags and schedule. False while it is leased, and when only its
    /// window is left of it.
    /// </summary>
    private bool TryReplace(QueueState queue, long slot, scoped in JobSpec spec)
    {
        JobRecord job = _jobs.Load(slot);
        if (job.State is not (JobState.Scheduled or JobState.Ready)) return false;
        JobDefaults defaults = queue.Settings.Defaults;
        LeaveState(queue, slot, ref job);
        DisarmExpiry(slot, ref job);
        _jobs.SetPayload(ref job, spec.PayloadKind, spec.Payload);
        RareFields rare = _jobs.Rare(job);
        rare.ContentType = ContentTypeOf(spec, defaults);
        rare.Tags = spec.Tags.IsEmpty ? defaults.Tags : spec.Tags;
        rare.Headers = spec.Headers.IsEmpty ? defaults.Headers : spec.Headers;
        _jobs.SetRare(ref job, rare);
        job.Priority = (byte)(spec.Priority ?? defaults.Priority ?? 0);
        job.RunAt = DueTime(spec.DelayMs, spec.RunAtMs, defaults.DelayMs);
        if (!job.Has(JobFlags.Started)) ArmExpiry(slot, ref job, rare.ExpireAfterMs);
        job.Version++;
        Wait(queue, slot, ref job, retry: false);
        return true;
    }

    private static ReadOnlySpan<byte> ContentTypeOf(scoped in JobSpec spec, JobDefaults defaults) =>
        !spec.ContentType.IsEmpty ? spec.ContentType : spec.PayloadKind == PayloadKind.Bytes ? defaults.ContentType : default;

    /// <summary>The past is now.</summary>
    private long DueTime(long? delayMs, long? runAtMs, long? defaultDelayMs) =>
        runAtMs is { } runAt ? Math.Max(runAt, _now) : _now + (delayMs ?? defaultDelayMs ?? 0);
}
