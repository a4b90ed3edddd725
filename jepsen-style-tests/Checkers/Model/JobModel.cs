using System.Text.Json;
using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>
/// The queue of sections 3 and 4 of the interface's page in dictionaries, lists and sorted sets: plain, and written from that page.
/// Each method answers with the text that <see cref="ResultText"/> makes of the store's result. One shard; not thread-safe.
/// </summary>
public sealed partial class JobModel(ReplicatedSettings initial)
{
    internal const int TimerKinds = 6;

    // In this order what is due at one time happens.
    private const int LeaseEnds = 1;
    private const int Dies = 2;
    private const int BecomesDueAt = 3;
    private const int WindowEnds = 4;
    private const int IsForgotten = 5;
    private const int KeyEnds = 6;

    private readonly Dictionary<string, ModelQueue> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<Int128, Remembered> _keys = [];
    private readonly Dictionary<ulong, ModelJob> _jobs = [];
    private readonly Dictionary<(ModelQueue Queue, string Key), ModelJob> _holders = [];
    private readonly SortedSet<(long Time, int Kind, ulong Sequence, Int128 Key)> _calendar = [];
    private ulong _sequence;
    private ulong _fence;

    /// <summary>What the store is told by its settings command.</summary>
    public ReplicatedSettings Settings { get; set; } = initial;

    /// <summary>All jobs that ever were, the forgotten ones included.</summary>
    public IReadOnlyCollection<ModelJob> Jobs => _jobs.Values;

    public IEnumerable<ModelQueue> Queues => _queues.Values;

    /// <summary>Every grant, in order.</summary>
    public event Action<ModelJob>? Granted;

    /// <summary>Every end of a lease, in order, right before the job changes; with the verb that ended it.</summary>
    public event Action<ModelJob, string>? LeaseEnded;

    /// <summary>A job's time has come, at <see cref="Now"/>.</summary>
    public event Action<ModelJob>? CameDue;

    /// <summary>What the last command did, beside its answer.</summary>
    public ModelEffect Last { get; private set; } = new();

    /// <summary>Told by who knows how many pages the store has: new work is refused for want of room.</summary>
    public bool StateIsFull { get; set; }

    public long Now { get; private set; }

    public long Index { get; set; }

    /// <summary>The earliest thing that time will do.</summary>
    public long NextDue => _calendar.Count == 0 ? long.MaxValue : _calendar.Min.Time;

    public ModelQueue? Queue(string name) => _queues.GetValueOrDefault(name);

    /// <summary>The job unless there is none or it is forgotten.</summary>
    public ModelJob? Find(ulong sequence) => _jobs.TryGetValue(sequence, out ModelJob? job) && !job.Forgotten ? job : null;

    /// <summary>The job, also when it is forgotten by now.</summary>
    public ModelJob? Ever(ulong sequence) => _jobs.GetValueOrDefault(sequence);

    /// <summary>Time passes: what is due happens in the order of time, kind and enqueue.</summary>
    public void Advance(long now)
    {
        Now = Math.Max(Now, now);
        while (_calendar.Count > 0 && _calendar.Min is var due && due.Time <= Now)
        {
            if (due.Kind == KeyEnds)
            {
                _calendar.Remove(due);
                _keys.Remove(due.Key);
                continue;
            }

            ModelJob job = _jobs[due.Sequence];
            switch (due.Kind)
            {
                case LeaseEnds: LeaseRunsOut(job); break;
                case Dies: Finish(job, JobState.Dead, JobReason.Expired); break;
                case BecomesDueAt:
                    CameDue?.Invoke(job);
                    BecomesDue(job);
                    break;
                case WindowEnds: ReleaseKey(job); break;
                default: Forget(job); break;
            }

            Touched(job);
        }
    }

    /// <summary>Brings calendar, counts and the line of scheduled jobs up to date with a job that changed.</summary>
    private void Touched(ModelJob job)
    {
        Book(job, LeaseEnds, job is { State: JobState.Leased } ? job.LeaseEnd : null);
        Book(job, Dies, job.DiesAt);
        Book(job, BecomesDueAt, job.State == JobState.Scheduled ? job.RunAt : null);
        Book(job, WindowEnds, job.HoldsKey ? job.WindowEnd : null);
        Book(job, IsForgotten, job.State.IsFinished() && !job.Forgotten ? job.ForgetAt : null);
        JobState? counted = job.Forgotten ? null : job.State;
        if (counted != job.Counted)
        {
            if (job.Counted is { } before) job.Queue.Counts[(int)before]--;
            if (counted is { } after) job.Queue.Counts[(int)after]++;
            job.Counted = counted;
        }

        long? linedUp = job is { State: JobState.Scheduled, Retrying: false } ? job.RunAt : null;
        if (linedUp == job.LinedUp) return;
        if (job.LinedUp is { } old) job.Queue.Scheduled.Remove((old, job.Sequence));
        if (linedUp is { } at) job.Queue.Scheduled.Add((at, job.Sequence));
        job.LinedUp = linedUp;
    }

    private void Book(ModelJob job, int kind, long? time)
    {
        ref long booked = ref job.Booked[kind];
        long wanted = time ?? long.MaxValue;
        if (booked == wanted) return;
        if (booked != long.MaxValue) _calendar.Remove((booked, kind, job.Sequence, 0));
        if (wanted != long.MaxValue) _calendar.Add((wanted, kind, job.Sequence, 0));
        booked = wanted;
    }

    private static void BecomesDue(ModelJob job)
    {
        job.Retrying = false;
        job.Version++;
        ToTheEnd(job);
    }

    private void LeaseRunsOut(ModelJob job)
    {
        EndAttempt(job, "expiry", job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Expired, "lease expired");
        if (!EndsWithFailure(job, dead: false)) ToTheFront(job);
        Touched(job);
        Trim(job.Queue);
    }

    private static void ToTheFront(ModelJob job)
    {
        job.State = JobState.Ready;
        job.Queue.Ready[job.Priority].AddFirst(job.Place);
    }

    private static void ToTheEnd(ModelJob job)
    {
        job.State = JobState.Ready;
        job.Queue.Ready[job.Priority].AddLast(job.Place);
    }

    /// <summary>Out of the line of ready or finished jobs that it stands in.</summary>
    private static void LeaveLine(ModelJob job) => job.Place.List?.Remove(job.Place);

    private void EndAttempt(ModelJob job, string by, AttemptOutcome outcome, string? error)
    {
        LeaseEnded?.Invoke(job, by);
        job.EndedBy = by;
        job.Version++;
        ModelAttempt attempt = job.Attempts[^1];
        attempt.EndedAt = Now;
        attempt.Outcome = outcome;
        attempt.Error = error;
    }

    private bool EndsWithFailure(ModelJob job, bool dead)
    {
        job.Queue.Failed++;
        job.Version--;
        if (job.CancelRequested) Finish(job, JobState.Cancelled, JobReason.None);
        else if (dead) Finish(job, JobState.Dead, JobReason.Nacked);
        else if (job.Attempt >= job.MaxAttempts) Finish(job, JobState.Dead, JobReason.Attempts);
        else
        {
            job.Version++;
            return false;
        }

        return true;
    }

    private void Finish(ModelJob job, JobState state, JobReason reason)
    {
        LeaveLine(job);
        job.State = state;
        job.Reason = reason;
        job.Retrying = false;
        job.DiesAt = null;
        job.Version++;
        job.FinishedAt = Now;
        job.ForgetAt = Now + (state == JobState.Dead ? job.Spec.KeepDeadMs ?? Settings.DefaultKeepDeadMs : job.KeepMs ?? Settings.DefaultKeepMs);
        if (job.WindowEnd is null) ReleaseKey(job);
        if (state != JobState.Dead) job.Queue.Finished.AddLast(job.Place);
        Touched(job);
    }

    private void Trim(ModelQueue queue)
    {
        while (queue.Finished.Count > (queue.Settings.KeepFinished ?? Settings.DefaultKeepFinished))
        {
            ModelJob oldest = queue.Finished.First!.Value;
            Forget(oldest);
            Touched(oldest);
        }
    }

    private static void Forget(ModelJob job)
    {
        job.Forgotten = true;
        LeaveLine(job);

        // Only a newcomer that finds its key held in a window still sees it, without what made it large.
        job.Payload = job.Result = job.Progress = null;
        job.PayloadKind = PayloadKind.None;
        job.StartedAt = job.FinishedAt = null;
        job.Attempts.Clear();
    }

    private void WaitUntil(ModelJob job, long runAt, bool retry)
    {
        job.RunAt = runAt;
        if (runAt > Now)
        {
            job.State = JobState.Scheduled;
            job.Retrying = retry;
            return;
        }

        ToTheEnd(job);
    }

    private void TakeKey(ModelJob job)
    {
        job.HoldsKey = true;
        _holders.Add((job.Queue, job.Key!), job);
    }

    private void ReleaseKey(ModelJob job)
    {
        if (!job.HoldsKey) return;
        job.HoldsKey = false;
        _holders.Remove((job.Queue, job.Key!));
    }

    private long RunAt(long? delayMs, long? runAtMs, long? defaultDelay) =>
        runAtMs is { } at ? Math.Max(at, Now) : Now + (delayMs ?? defaultDelay ?? 0);

    private static string? KeyOf(ModelQueue? queue, PlainJob spec)
    {
        if (spec.Key is not null || queue is null || !queue.Settings.UniqueBy) return spec.Key;
        if (spec.PayloadKind != PayloadKind.Json) return "[null]";
        using JsonDocument document = JsonDocument.Parse(spec.Payload!);
        bool has = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("k", out _);
        return has ? $"[{document.RootElement.GetProperty("k").GetRawText()}]" : "[null]";
    }

    /// <summary>What a key's first request did.</summary>
    private sealed record Remembered(Int128 Body, long Until, long Index, string Rows, List<(ulong Sequence, ulong Fence)>? Leases, ModelEffect Effect);
}
