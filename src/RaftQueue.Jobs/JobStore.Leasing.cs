using System.Buffers.Binary;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>Lease requests.</summary>
public sealed partial class JobStore
{
    private const int StoredGrantBytes = 3 * sizeof(long);
    private readonly List<LeaseReference> _granted = [];
    private long _leasedBytes; // by the entry under way

    private ResultCode ApplyLease(ReadOnlySpan<byte> body)
    {
        if (!LeaseCommand.TryRead(body, out LeaseCommand command)) return ResultCode.InvalidCommand;
        bool asked = _render;
        if (IsDecidedByKey(command.Envelope, out ResultCode code)) return code;

        GrantAll(command);
        if (_granted.Count == 0) return ResultCode.Empty;
        if (command.Envelope.HasKey) RememberGrants(command.Envelope);
        _body.Clear();
        if (asked) WriteGrants();
        return ResultCode.Ok;
    }

    private void GrantAll(scoped in LeaseCommand command)
    {
        var room = new LeaseRoom { Jobs = command.MaxJobs, Bytes = command.MaxBytes, Promotions = JobLimits.TimersPerEntry };
        MessagePackReader names = command.Queues;
        for (int i = 0; i < command.QueueCount && room.Jobs > 0; i++)
        {
            Invariant.That(names.TryReadString(out ReadOnlySpan<byte> name), "the names were read once already");
            if (_queues.Find(name) is { } queue) GrantReady(queue, command, ref room);
        }

        if (_granted.Count > 0 || command.PullAheadMs == 0) return;
        names = command.Queues;
        for (int i = 0; i < command.QueueCount && room.Jobs > 0; i++)
        {
            Invariant.That(names.TryReadString(out ReadOnlySpan<byte> name), "the names were read once already");
            if (_queues.Find(name) is { } queue) GrantAhead(queue, command, ref room);
        }
    }

    private void GrantReady(QueueState queue, scoped in LeaseCommand command, scoped ref LeaseRoom room)
    {
        if (IsBehind) CatchUp(queue, ref room);
        long leaseMs = LeaseMs(queue, command);
        while (room.Jobs > 0 && queue.HighestReady() is >= 0 and int priority)
        {
            long slot = queue.Ready(priority).Head;
            JobRecord job = _jobs.Load(slot);
            if (IsTooOld(job))
            {
                if (!TryKill(queue, slot, ref job, ref room)) return;
                continue;
            }

            if (!Fits(job, ref room)) return;
            Grant(queue, slot, ref job, leaseMs, command.Worker);
            _granted.Add(new LeaseReference(slot, job.Sequence, job.Fence));
        }
    }

    /// <summary>The earliest scheduled within the horizon, whatever their priority; never a retry.</summary>
    private void GrantAhead(QueueState queue, scoped in LeaseCommand command, scoped ref LeaseRoom room)
    {
        long leaseMs = LeaseMs(queue, command);
        long until = _now + command.PullAheadMs;
        int ahead = 0;
        while (room.Jobs > 0 && queue.Scheduled.TryFirst(out TreeEntry first) && first.Time <= until)
        {
            if (ahead-- == 0) ahead = PrefetchGrants(queue.Scheduled, until, room.Jobs) - 1;
            JobRecord job = _jobs.Load(first.Value);
            if (IsTooOld(job))
            {
                if (!TryKill(queue, first.Value, ref job, ref room)) return;
                continue;
            }

            if (!Fits(job, ref room)) return;
            Grant(queue, first.Value, ref job, leaseMs, command.Worker);
            _granted.Add(new LeaseReference(first.Value, job.Sequence, job.Fence));
        }
    }

    /// <summary>Not leased in time, and its timer did not get to it.</summary>
    private bool IsTooOld(in JobRecord job) => job.Has(JobFlags.Expires) && job.Time <= _now;

    /// <summary>False when the request has carried out all that it may.</summary>
    private bool TryKill(QueueState queue, long slot, ref JobRecord job, scoped ref LeaseRoom room)
    {
        if (room.Promotions == 0) return false;
        room.Promotions--;
        Kill(queue, slot, ref job);
        TrimAfterFinish();
        return true;
    }

    /// <summary>Makes ready what the entry's timers did not get to: up to a bound, in the order of becoming due.</summary>
    private void CatchUp(QueueState queue, scoped ref LeaseRoom room)
    {
        while (room.Promotions > 0)
        {
            bool scheduled = queue.Scheduled.TryFirst(out TreeEntry first) && first.Time <= _now;
            bool retry = queue.Retries.TryFirst(out TreeEntry second) && second.Time <= _now;
            if (!scheduled && !retry) return;
            bool takeRetry = !scheduled || (retry && (second.Time, second.Sequence).CompareTo((first.Time, first.Sequence)) < 0);
            Promote(queue, takeRetry ? queue.Retries : queue.Scheduled);
            room.Promotions--;
        }
    }

    private long LeaseMs(QueueState queue, scoped in LeaseCommand command) =>
        command.LeaseMs ?? queue.Settings.Defaults.LeaseMs ?? Settings.DefaultLeaseMs;

    /// <summary>
    /// Takes the job's room. The first job always fits; what does not ends the request. An entry as a whole has a bound as well,
    /// because its results are held in memory together: who got nothing for that waits for the next one.
    /// </summary>
    private bool Fits(in JobRecord job, scoped ref LeaseRoom room)
    {
        long bytes = LengthOf(job.Payload) + (long)LengthOf(job.Rare) + LengthOf(job.Run);
        if (_granted.Count > 0 && bytes > room.Bytes) return false;
        if (_leasedBytes > 0 && _leasedBytes + bytes > JobLimits.LeasedBytesPerEntry) return false;
        _leasedBytes += bytes;
        room.Bytes -= bytes;
        room.Jobs--;
        return true;
    }

    private int LengthOf(BlobRef blob) => blob.IsNone ? 0 : _jobs.Blobs.Length(blob);

    private void WriteGrants()
    {
        var writer = new MessagePackWriter(_body);
        writer.WriteArrayHeader(_granted.Count);
        foreach (LeaseReference grant in _granted)
        {
            JobRecord job = _jobs.Load(grant.Slot);
            writer.WriteArrayHeader(GrantView.FieldCount);
            WriteJob(writer, grant.Slot, job, withPayload: true);
            writer.WriteUInt64(job.Fence);
            writer.WriteInt64(job.Time);
            writer.WriteInt64(job.Time - _now);
        }
    }

    /// <summary>Only who got which lease is remembered; a replay shows those that live as they are then.</summary>
    private void RememberGrants(in CommandEnvelope envelope)
    {
        _body.Clear();
        foreach (LeaseReference grant in _granted)
        {
            Span<byte> bytes = _body.GetSpan(StoredGrantBytes);
            BinaryPrimitives.WriteInt64LittleEndian(bytes, grant.Slot);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], grant.Sequence);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], grant.Fence);
            _body.Advance(StoredGrantBytes);
        }

        Remember(envelope, CommandType.Lease, ResultCode.Ok);
    }

    private void ReplayGrants(ReadOnlySpan<byte> stored)
    {
        _granted.Clear();
        for (; !stored.IsEmpty; stored = stored[StoredGrantBytes..])
        {
            var grant = new LeaseReference(
                BinaryPrimitives.ReadInt64LittleEndian(stored),
                BinaryPrimitives.ReadUInt64LittleEndian(stored[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(stored[16..]));
            if (!TryTouch(grant.Slot, grant.Sequence, out JobRecord job, out _)) continue;
            if (job.State == JobState.Leased && job.Fence == grant.Fence) _granted.Add(grant);
        }

        WriteGrants();
    }

    /// <summary>What a lease request may still take.</summary>
    private struct LeaseRoom
    {
        public int Jobs;
        public long Bytes;
        public int Promotions;
    }
}
