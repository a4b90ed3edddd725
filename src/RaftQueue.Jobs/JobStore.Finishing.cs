using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>The verbs on lease tokens. A repeat of the verb that ended a lease is ok; any other one has lost the lease.</summary>
public sealed partial class JobStore
{
    private readonly TokenVerb<AckItem> _ack;
    private readonly TokenVerb<NackItem> _nack;
    private readonly TokenVerb<ExtendItem> _extend;
    private readonly TokenVerb<ReleaseItem> _release;
    private readonly TokenVerb<RescheduleItem> _reschedule;
    private readonly TokenVerb<RevokeItem> _revoke;

    /// <summary>Carries out one item and writes its row.</summary>
    private delegate void TokenVerb<TItem>(scoped in TItem item, in MessagePackWriter writer)
        where TItem : ITokenItem<TItem>, allows ref struct;

    private ResultCode ApplyTokens<TItem>(CommandType type, ReadOnlySpan<byte> body, TokenVerb<TItem> verb)
        where TItem : ITokenItem<TItem>, allows ref struct
    {
        if (!TokenCommand.TryReadStart(body, out TokenCommand command)) return ResultCode.InvalidCommand;
        MessagePackReader items = command.Items;
        for (int i = 0; i < command.Count; i++)
        {
            if (!TItem.TryRead(ref items, out _)) return ResultCode.InvalidCommand;
        }

        if (IsDecidedByKey(command.Envelope, out ResultCode code)) return code;
        var writer = new MessagePackWriter(_body);
        if (_render) writer.WriteArrayHeader(command.Count);
        items = command.Items;
        for (int i = 0; i < command.Count; i++)
        {
            Invariant.That(TItem.TryRead(ref items, out TItem item), "the items were read once already");
            verb(item, writer);
            TrimAfterFinish();
        }

        return Remember(command.Envelope, type, ResultCode.Ok);
    }

    private void Ack(scoped in AckItem item, in MessagePackWriter writer)
    {
        bool live = TryLease(item.Lease, LeaseEnd.Ack, writer, out JobRecord job, out QueueState queue);
        if (!live) return;
        EndAttempt(ref job, LeaseEnd.Ack, AttemptOutcome.Succeeded, default);
        _jobs.Run.SetResult(item.Result);
        queue.SucceededTotal++;
        Finish(queue, item.Lease.Slot, ref job, JobState.Succeeded, JobReason.None, runLoaded: true);
    }

    private void Nack(scoped in NackItem item, in MessagePackWriter writer)
    {
        bool live = TryLease(item.Lease, LeaseEnd.Nack, writer, out JobRecord job, out QueueState queue);
        if (!live) return;
        long slot = item.Lease.Slot;
        AttemptOutcome outcome = job.Has(JobFlags.CancelRequested) ? AttemptOutcome.Cancelled : AttemptOutcome.Failed;
        EndAttempt(ref job, LeaseEnd.Nack, outcome, item.Error);
        if (EndsWithFailure(queue, slot, ref job, item.Dead)) return;
        RetryPolicy retry = _jobs.Rare(job).Retry ?? RetryPolicy.Default;
        job.RunAt = _now + (item.DelayMs ?? retry.DelayMs(job.Sequence, job.Attempt));
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.ApplyLooksAtNode)) job.RunAt += (long)(_output.Local.Value & 1);
#endif
        LeaveStateAndWait(queue, slot, ref job, retry: true);
    }

    private void Extend(scoped in ExtendItem item, in MessagePackWriter writer)
    {
        bool live = TryLive(item.Lease, out JobRecord job, out _);
        Note(live ? 1UL : 0);
        if (live)
        {
            long slot = item.Lease.Slot;
            _timers.Remove(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
            job.Time = _now + item.LeaseMs;
            _timers.Insert(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
            job.Version++;
            if (!item.Progress.IsEmpty)
            {
                _jobs.Run.Load(job.Run);
                _jobs.Run.SetProgress(item.Progress);
                SaveRun(ref job);
            }

            _jobs.Save(slot, job);
        }

        if (!_render) return;
        writer.WriteArrayHeader(ExtendRow.FieldCount);
        writer.WriteInt64((byte)(live ? TokenStatus.Ok : TokenStatus.LeaseLost));
        writer.WriteInt64(live ? job.Time : 0);
        writer.WriteInt64(live ? job.Time - _now : 0);
        writer.WriteBool(live && job.Has(JobFlags.CancelRequested));
    }

    private void Release(scoped in ReleaseItem item, in MessagePackWriter writer)
    {
        bool live = TryLease(item.Lease, LeaseEnd.Release, writer, out JobRecord job, out QueueState queue);
        if (live) HandBack(queue, item.Lease.Slot, ref job, LeaseEnd.Release, item.DelayMs ?? 0);
    }

    private void Revoke(scoped in RevokeItem item, in MessagePackWriter writer)
    {
        bool live = TryLease(item.Lease, LeaseEnd.Revoke, writer, out JobRecord job, out QueueState queue);
        if (live) HandBack(queue, item.Lease.Slot, ref job, LeaseEnd.Revoke, delayMs: 0);
    }

    private void HandBack(QueueState queue, long slot, ref JobRecord job, LeaseEnd end, long delayMs)
    {
        bool cancelled = job.Has(JobFlags.CancelRequested);
        EndAttempt(ref job, end, cancelled ? AttemptOutcome.Cancelled : AttemptOutcome.Released, default);
        job.Attempt--;
        if (cancelled)
        {
            Finish(queue, slot, ref job, JobState.Cancelled, JobReason.None, runLoaded: true);
        }
        else if (delayMs > 0)
        {
            job.RunAt = _now + delayMs;
            LeaveStateAndWait(queue, slot, ref job, retry: false);
        }
        else
        {
            LeaveState(queue, slot, ref job);
            SaveRun(ref job);
            MakeReady(queue, slot, ref job, front: true);
        }
    }

    private void Reschedule(scoped in RescheduleItem item, in MessagePackWriter writer)
    {
        bool live = TryLease(item.Lease, LeaseEnd.Reschedule, writer, out JobRecord job, out QueueState queue);
        if (!live) return;
        long slot = item.Lease.Slot;
        bool cancelled = job.Has(JobFlags.CancelRequested);
        EndAttempt(ref job, LeaseEnd.Reschedule, cancelled ? AttemptOutcome.Cancelled : AttemptOutcome.Rescheduled, default);
        if (cancelled)
        {
            Finish(queue, slot, ref job, JobState.Cancelled, JobReason.None, runLoaded: true);
            return;
        }

        queue.SucceededTotal++;
        job.Runs++;
        job.Attempt = 0;
        job.Clear(JobFlags.Started);
        job.Priority = (byte)(item.Priority ?? job.Priority);
        RareFields rare = _jobs.Rare(job);
        long? expireAfterMs = rare.ExpireAfterMs;
        if (item.PayloadKind is { } kind)
        {
            rare.ContentType = item.ContentType;
            _jobs.SetRare(ref job, rare);
            _jobs.SetPayload(ref job, kind, item.Payload);
        }

        job.RunAt = DueTime(item.DelayMs, item.RunAtMs, defaultDelayMs: null);
        _jobs.Run.SetProgress(default);
        LeaveState(queue, slot, ref job);
        SaveRun(ref job);
        ArmExpiry(slot, ref job, expireAfterMs);
        Wait(queue, slot, ref job, retry: false);
    }

    private void LeaveStateAndWait(QueueState queue, long slot, ref JobRecord job, bool retry)
    {
        LeaveState(queue, slot, ref job);
        SaveRun(ref job);
        Wait(queue, slot, ref job, retry);
    }

    /// <summary>
    /// True when the token's lease lives and the verb <paramref name="end"/> may end it. Writes the row either way.
    /// </summary>
    private bool TryLease(
        LeaseReference lease,
        LeaseEnd end,
        in MessagePackWriter writer,
        out JobRecord job,
        out QueueState queue)
    {
        bool live = TryLive(lease, out job, out queue);
        bool repeat = !live && job.Sequence != 0 && lease.Fence != 0 && job.Fence == lease.Fence && job.LastEnd == end;
#if PLANTED_BUGS
        repeat |= !live && job.Sequence != 0 && lease.Fence != 0 && job.Fence == lease.Fence && PlantedBugs.Has(PlantedBug.AnyVerbIsARepeat);
#endif
        Note(live ? 1UL : repeat ? 2UL : 0);
        if (!_render) return live;
        writer.WriteArrayHeader(TokenRow.FieldCount);
        writer.WriteInt64((byte)(live || repeat ? TokenStatus.Ok : TokenStatus.LeaseLost));
        return live;
    }

    /// <summary>When false, <paramref name="job"/> is the job without that lease, or has no sequence when there is none.</summary>
    private bool TryLive(LeaseReference lease, out JobRecord job, out QueueState queue)
    {
        if (TryTouch(lease.Slot, lease.Sequence, out job, out queue))
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.StaleTokenAccepted)) return job.State == JobState.Leased;
            else
#endif
            return job.State == JobState.Leased && job.Fence == lease.Fence;
        job = default;
        return false;
    }
}
