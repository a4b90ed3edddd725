using RaftQueue.Jobs.State;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// How a job goes from one state to the next. Each method here that ends in a state saves the job: the caller's copy is stale
/// afterwards.
/// </summary>
public sealed partial class JobStore
{
    private static ReadOnlySpan<byte> LeaseExpiredText => "lease expired"u8;

    /// <summary>The queue that got a finished job last: it may keep too many now.</summary>
    private QueueState? _finishedIn;

    /// <summary>Takes the job out of what its present state put it in: list, tree, timer, counter.</summary>
    private void LeaveState(QueueState queue, long slot, ref JobRecord job)
    {
        switch (job.State)
        {
            case JobState.Scheduled:
                DueTree tree = job.Has(JobFlags.Retrying) ? queue.Retries : queue.Scheduled;
                tree.Remove(_timers, job.RunAt, job.Sequence, slot);
                job.Clear(JobFlags.Retrying);
                break;
            case JobState.Ready:
                _jobs.Unlink(ref queue.Ready(job.Priority), ref job);
                break;
            case JobState.Leased:
                _timers.Remove(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
                break;
            case JobState.Dead:
                _timers.Remove(TimerKind.Retention, job.Time, job.Sequence, slot);
                _jobs.Unlink(ref queue.Dead, ref job);
                break;
            case JobState.Succeeded or JobState.Cancelled:
                _timers.Remove(TimerKind.Retention, job.Time, job.Sequence, slot);
                _jobs.Unlink(ref queue.Finished, ref job);
                break;
            default:
                Invariant.Broken("no job is blocked yet");
                break;
        }

        queue.Count(job.State)--;
        _queues.MarkDirty(queue);
    }

    /// <summary>
    /// Into a tree until <see cref="JobRecord.RunAt"/>, or behind the ready ones when that has come and no job of the queue that
    /// became due earlier is still on its way.
    /// </summary>
    private void Wait(QueueState queue, long slot, ref JobRecord job, bool retry)
    {
        bool overtakes = queue.Scheduled.HasDue(_now) || queue.Retries.HasDue(_now);
        if (job.RunAt <= _now && !overtakes)
        {
            MakeReady(queue, slot, ref job, front: false);
            return;
        }

        job.State = JobState.Scheduled;
        if (retry) job.Set(JobFlags.Retrying);
        (retry ? queue.Retries : queue.Scheduled).Insert(_timers, job.RunAt, job.Sequence, slot);
        queue.Count(JobState.Scheduled)++;
        _jobs.Save(slot, job);
        _queues.MarkDirty(queue);
        if (!retry) Wake(queue);
    }

    private void MakeReady(QueueState queue, long slot, ref JobRecord job, bool front)
    {
        job.State = JobState.Ready;
        ref JobList list = ref queue.Ready(job.Priority);
        if (front) _jobs.PushFront(ref list, slot, ref job);
        else _jobs.PushBack(ref list, slot, ref job);
        queue.Count(JobState.Ready)++;
        _jobs.Save(slot, job);
        _queues.MarkDirty(queue);
        Wake(queue);
    }

    private void Wake(QueueState queue)
    {
        if (queue.WokenIn == (_output, _output.Generation)) return;
        queue.WokenIn = (_output, _output.Generation);
        _output.QueueWakes.Add(queue.Name);
    }

    /// <summary>The job will die unless it is leased in time.</summary>
    private void ArmExpiry(long slot, ref JobRecord job, long? expireAfterMs)
    {
        if (expireAfterMs is not { } after) return;
        job.Set(JobFlags.Expires);
        job.Time = job.RunAt + after;
        _timers.Insert(TimerKind.Expiry, job.Time, job.Sequence, slot);
    }

    private void DisarmExpiry(long slot, ref JobRecord job)
    {
        if (!job.Has(JobFlags.Expires)) return;
        job.Clear(JobFlags.Expires);
        _timers.Remove(TimerKind.Expiry, job.Time, job.Sequence, slot);
    }

    /// <summary>Takes a scheduled or ready job for a worker and saves it.</summary>
    private void Grant(QueueState queue, long slot, ref JobRecord job, long leaseMs, ReadOnlySpan<byte> worker)
    {
        LeaveState(queue, slot, ref job);
        DisarmExpiry(slot, ref job);
        job.State = JobState.Leased;
        job.Set(JobFlags.Started);
        if (job.Attempt < uint.MaxValue) job.Attempt++;
        job.Version++;
        job.Fence = ++_root.LastFence;
        job.LastEnd = LeaseEnd.None;
        job.Time = _now + leaseMs;
        _timers.Insert(TimerKind.LeaseEnd, job.Time, job.Sequence, slot);
        if (job.Has(JobFlags.HoldsKey) && job.Has(JobFlags.KeyUntilLeased)) ReleaseKey(slot, ref job);
#if PLANTED_BUGS
        bool freesAny = job.Has(JobFlags.HoldsKey) && !job.Has(JobFlags.KeyUntilWindow) && PlantedBugs.Has(PlantedBug.KeyFreeWhenLeased);
        if (freesAny) ReleaseKey(slot, ref job);
#endif
        _jobs.Run.Load(job.Run);
        _jobs.Run.Begin(job.Attempt, worker, _now);
        job.Run = _jobs.Run.Save(job.Run);
        queue.Count(JobState.Leased)++;
        _jobs.Save(slot, job);
        Note(job.Fence ^ (ulong)slot);
    }

    /// <summary>Writes down how the running attempt ended. The job is still counted as leased.</summary>
    private void EndAttempt(ref JobRecord job, LeaseEnd end, AttemptOutcome outcome, ReadOnlySpan<byte> error)
    {
        job.LastEnd = end;
        job.Version++;
        _jobs.Run.Load(job.Run);
        _jobs.Run.End(outcome, error, _now);
    }

    /// <summary>Keeps what <see cref="EndAttempt"/> loaded and changed.</summary>
    private void SaveRun(ref JobRecord job) => job.Run = _jobs.Run.Save(job.Run);

    /// <summary>
    /// Ends the job. <paramref name="runLoaded"/>: its run data are in <see cref="JobTable.Run"/> with changes to keep, and its version
    /// was raised.
    /// </summary>
    private void Finish(QueueState queue, long slot, ref JobRecord job, JobState state, JobReason reason, bool runLoaded)
    {
        LeaveState(queue, slot, ref job);
        DisarmExpiry(slot, ref job);
        if (!runLoaded)
        {
            _jobs.Run.Load(job.Run);
            job.Version++;
        }

        _jobs.Run.FinishedAt = _now;
        SaveRun(ref job);
        if (job.Has(JobFlags.HoldsKey) && !job.Has(JobFlags.KeyUntilWindow)) ReleaseKey(slot, ref job);
        RareFields rare = _jobs.Rare(job);
        job.Time = _now + (state == JobState.Dead
            ? rare.KeepDeadMs ?? Settings.DefaultKeepDeadMs
            : rare.KeepMs ?? Settings.DefaultKeepMs);
        _timers.Insert(TimerKind.Retention, job.Time, job.Sequence, slot);
        job.State = state;
        job.Reason = reason;
        _jobs.PushBack(ref state == JobState.Dead ? ref queue.Dead : ref queue.Finished, slot, ref job);
        queue.Count(state)++;
        _jobs.Save(slot, job);
        _output.Finished.Add(new JobId(job.Sequence, Shard, slot));
        _finishedIn = queue;
    }

    /// <summary>A failed attempt is over: cancelled if that was asked for, dead without attempts left, else <c>false</c>: it goes on.</summary>
    private bool EndsWithFailure(QueueState queue, long slot, ref JobRecord job, bool dead)
    {
        queue.FailedTotal++;
        if (job.Has(JobFlags.CancelRequested)) Finish(queue, slot, ref job, JobState.Cancelled, JobReason.None, runLoaded: true);
        else if (dead) Finish(queue, slot, ref job, JobState.Dead, JobReason.Nacked, runLoaded: true);
        else if (job.Attempt >= job.MaxAttempts) Finish(queue, slot, ref job, JobState.Dead, JobReason.Attempts, runLoaded: true);
        else return false;
        return true;
    }

    /// <summary>A lease ran out: a failed attempt, ready at once at the front unless it was the last one.</summary>
    private void ExpireLease(QueueState queue, long slot, ref JobRecord job)
    {
        AttemptOutcome outcome = job.Has(JobFlags.CancelRequested) ? AttemptOutcome.Cancelled : AttemptOutcome.Expired;
        EndAttempt(ref job, LeaseEnd.Expiry, outcome, LeaseExpiredText);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.VersionKeptByTime)) job.Version--;
#endif
        if (EndsWithFailure(queue, slot, ref job, dead: false)) return;
        LeaveState(queue, slot, ref job);
        SaveRun(ref job);
        MakeReady(queue, slot, ref job, front: true);
    }

    /// <summary>Not leased in time.</summary>
    private void Kill(QueueState queue, long slot, ref JobRecord job) =>
        Finish(queue, slot, ref job, JobState.Dead, JobReason.Expired, runLoaded: false);

    /// <summary>A finished job is gone for readers; the record stays while it holds a key.</summary>
    private void Forget(QueueState queue, long slot, ref JobRecord job)
    {
        LeaveState(queue, slot, ref job);
        if (!job.Has(JobFlags.HoldsKey))
        {
            _jobs.Free(slot, job);
            return;
        }

        job.Set(JobFlags.Ghost);
        _jobs.SetPayload(ref job, PayloadKind.None, default);
        _jobs.FreeBlob(job.Run);
        job.Run = default;
        _jobs.Save(slot, job);
    }

    /// <summary>The job holds its key no longer. The caller saves it.</summary>
    private void ReleaseKey(long slot, ref JobRecord job)
    {
        _keys.Release(job.Queue, _jobs.Rare(job).UniqueKey, slot);
        job.Clear(JobFlags.HoldsKey);
    }

    /// <summary>The window of a job's key is over; takes its timer back.</summary>
    private void EndWindow(long slot)
    {
        JobRecord job = _jobs.Load(slot);
        long end = _jobs.Rare(job).WindowEndMs ?? 0;
        _timers.Remove(TimerKind.UniqueWindow, end, job.Sequence, slot);
        ReleaseKey(slot, ref job);
        if (job.Has(JobFlags.Ghost)) _jobs.Free(slot, job);
        else _jobs.Save(slot, job);
    }

    /// <summary>
    /// Forgets the oldest finished job when the queue that got the last one keeps too many; were it more than one, a timer goes on.
    /// Only after the caller has shown the finished job.
    /// </summary>
    private void TrimAfterFinish()
    {
        if (_finishedIn is not { } queue) return;
        _finishedIn = null;
        if (queue.KeptFinished > KeepFinished(queue)) ForgetOldest(queue);
        TrimLater(queue);
    }

    private long KeepFinished(QueueState queue) => queue.Settings.KeepFinished ?? Settings.DefaultKeepFinished;

    private void ForgetOldest(QueueState queue)
    {
        long slot = queue.Finished.Head;
        JobRecord job = _jobs.Load(slot);
        Forget(queue, slot, ref job);
    }

    private void TrimLater(QueueState queue)
    {
        if (queue.Trimming || queue.KeptFinished <= KeepFinished(queue)) return;
        queue.Trimming = true;
        _queues.MarkDirty(queue);
        _timers.Insert(TimerKind.Trim, _now, 0, queue.Page.Value);
    }
}
