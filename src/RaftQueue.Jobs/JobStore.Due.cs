using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>What time does.</summary>
public sealed partial class JobStore
{
    /// <summary>
    /// More is due than this entry may still fire. Only then can a command meet a job whose time is over: it is settled there
    /// and then (<see cref="Settle"/>), so that the stamp decides and not the timer.
    /// </summary>
    private bool IsBehind => _timersLeft == 0 && _timers.NextMs <= _now;

    /// <summary>Fires what is due by the stamp, in order of (time, kind, sequence), until the entry's share is used up.</summary>
    private void FireDue()
    {
        while (_timersLeft > 0 && _timers.TryDue(_now, out TimerKind kind, out TreeEntry timer))
        {
            PrefetchTimers();
            _timersLeft--;
            Fire(kind, timer);
            TrimAfterFinish();
        }
    }

    /// <summary>Each case takes its timer back, as it would have if something else had happened first.</summary>
    private void Fire(TimerKind kind, in TreeEntry timer)
    {
        switch (kind)
        {
            case TimerKind.Due:
                QueueState waiting = _queues.At((uint)(timer.Value >> 1));
                Promote(waiting, (timer.Value & 1) != 0 ? waiting.Retries : waiting.Scheduled);
                break;
            case TimerKind.UniqueWindow:
                EndWindow(timer.Value);
                break;
            case TimerKind.Idempotency:
                _idempotency.Forget(timer.Value);
                break;
            case TimerKind.Trim:
                Trim(_queues.At((uint)timer.Value), timer);
                break;
            default:
                FireForJob(kind, timer.Value);
                break;
        }
    }

    private void FireForJob(TimerKind kind, long slot)
    {
        JobRecord job = _jobs.Load(slot);
        QueueState queue = _queues.At(job.Queue);
        switch (kind)
        {
            case TimerKind.LeaseEnd:
#if PLANTED_BUGS
                if (RestartsLease(slot, ref job)) break;
#endif
                ExpireLease(queue, slot, ref job);
                break;
            case TimerKind.Expiry:
                Kill(queue, slot, ref job);
                break;
            case TimerKind.Retention:
                Forget(queue, slot, ref job);
                break;
            default:
                Invariant.Broken("every timer has a kind");
                break;
        }
    }

    /// <summary>The first of a tree, whose time has come, is ready.</summary>
    private void Promote(QueueState queue, DueTree tree)
    {
        Invariant.That(tree.TryFirst(out TreeEntry first), "a tree with a timer is not empty");
        PrefetchPromotions(tree);
        JobRecord job = _jobs.Load(first.Value);
        LeaveState(queue, first.Value, ref job);
        job.Version++;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.VersionKeptByTime)) job.Version--;
#endif
        MakeReady(queue, first.Value, ref job, front: false);
    }

    /// <summary>Forgets one finished job too many; the timer stays until there is none.</summary>
    private void Trim(QueueState queue, in TreeEntry timer)
    {
        if (queue.KeptFinished > KeepFinished(queue)) ForgetOldest(queue);
        if (queue.KeptFinished > KeepFinished(queue)) return;
        _timers.Remove(timer);
        queue.Trimming = false;
        _queues.MarkDirty(queue);
    }

    /// <summary>
    /// Carries out what is over for one job by the stamp and loads what it is then; the sequence is 0 when it is gone for readers.
    /// </summary>
    private void Settle(QueueState queue, long slot, ref JobRecord job)
    {
        while (true)
        {
            if (job.State == JobState.Leased && job.Time <= _now) ExpireLease(queue, slot, ref job);
            else if (job.Has(JobFlags.Expires) && job.Time <= _now) Kill(queue, slot, ref job);
            else if (job.State.IsFinished() && !job.Has(JobFlags.Ghost) && job.Time <= _now) Forget(queue, slot, ref job);
            else return;
            TrimAfterFinish();
            if (!_jobs.TryLoad(slot, job.Sequence, out JobRecord now))
            {
                job = default;
                return;
            }

            job = now;
        }
    }

    /// <summary>False when the job does not exist, is forgotten, or should be by now.</summary>
    private bool TryTouch(long slot, ulong sequence, out JobRecord job, out QueueState queue)
    {
        queue = null!;
        if (!_jobs.TryLoad(slot, sequence, out job) || job.Has(JobFlags.Ghost)) return false;
        queue = _queues.At(job.Queue);
        if (!IsBehind) return true;
        Settle(queue, slot, ref job);
        return job.Sequence != 0 && !job.Has(JobFlags.Ghost);
    }
#if PLANTED_BUGS

    private bool _firstOfTerm;

    private bool RestartsLease(long slot, ref JobRecord job)
    {
        if (!_firstOfTerm || !PlantedBugs.Has(PlantedBug.LeaseRestartsAtFailover)) return false;
        _timers.Remove(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
        job.Time = _now + Settings.DefaultLeaseMs;
        _timers.Insert(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
        _jobs.Save(slot, job);
        return true;
    }
#endif
}
