using System.Text.Json;
using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>
/// The queue of sections 3 and 4 of the interface's page in dictionaries, lists and sorted sets: plain, and written from that page.
/// Each method answers with the text that <see cref="ResultText"/> makes of the store's result. One shard; not thread-safe.
/// </summary>
public sealed partial class JobModel(ReplicatedSettings initial)
{
    /// <summary>"One entry fires at most 1,000 timers; unfinished steps are state."</summary>
    public const int TimersOfAnEntry = 1_000;

    internal const int TimerKinds = 6;

    // In this order what is due at one time happens.
    private const int LeaseEnds = 1;
    private const int Dies = 2;
    private const int BecomesDueAt = 3;
    private const int WindowEnds = 4;
    private const int IsForgotten = 5;
    private const int KeyEnds = 6;
    private const int Trims = 7;

    private readonly Dictionary<string, ModelQueue> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<Int128, Remembered> _keys = [];
    private readonly Dictionary<ulong, ModelJob> _jobs = [];
    private readonly Dictionary<(ModelQueue Queue, string Key), ModelJob> _holders = [];
    private readonly SortedSet<(long Time, int Kind, ulong Sequence, Int128 Key)> _calendar = [];
    private ulong _sequence;
    private ulong _fence;
    private int _left;
    private ModelQueue? _finishedIn;

    /// <summary>What the store is told by its settings command.</summary>
    public ReplicatedSettings Settings { get; private set; } = initial;

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

    /// <summary>How often an entry had more due than it may carry out, and commands met that.</summary>
    public ModelBehind Behind { get; } = new();

    /// <summary>
    /// More is due than this entry may still carry out. What a command touches is then settled as if it had been: the stamp decides. What
    /// nobody touches stays as it is until a later entry, and is seen like that.
    /// </summary>
    private bool IsBehind => _left == 0 && NextDue <= Now;

    /// <summary>
    /// An entry begins: time passes, and what is due happens in the order of time, kind and enqueue, of one entry at most so many things.
    /// </summary>
    public void Begin(long now)
    {
        Now = Math.Max(Now, now);
        _left = TimersOfAnEntry;
        GoOn();
        if (IsBehind) Behind.Entries++;
    }

    /// <summary>After a command: what it made due, as far as the entry may.</summary>
    public void GoOn()
    {
        for (; _left > 0 && NextDue <= Now; _left--)
        {
            (long Time, int Kind, ulong Sequence, Int128 Key) due = _calendar.Min;
            switch (due.Kind)
            {
                case KeyEnds:
                    _calendar.Remove(due);
                    _keys.Remove(due.Key);
                    break;
                case Trims:
                    GoOnTrimming(_queues.Values.First(queue => queue.Number == due.Key), due);
                    break;
                default:
                    Happen(_jobs[due.Sequence], due.Kind);
                    break;
            }
        }
    }

    /// <summary>The settings that count from now on.</summary>
    public void Set(ReplicatedSettings settings)
    {
        bool keepsOther = settings.DefaultKeepFinished != Settings.DefaultKeepFinished;
        Settings = settings;
        if (!keepsOther) return;
        foreach (ModelQueue queue in _queues.Values) TrimLater(queue);
    }

    private void Happen(ModelJob job, int kind)
    {
        switch (kind)
        {
            case LeaseEnds: LeaseRunsOut(job); break;
            case Dies: Finish(job, JobState.Dead, JobReason.Expired); break;
            case BecomesDueAt: BecomesDue(job); break;
            case WindowEnds: ReleaseKey(job); break;
            default: Forget(job); break;
        }

        Touched(job);
        TrimAfterFinish();
    }

    /// <summary>The job unless there is none or it is, or should be, forgotten; as it should be by now.</summary>
    private ModelJob? Touch(ulong sequence)
    {
        if (Find(sequence) is not { } job) return null;
        if (IsBehind) Behind.Calls++;
        if (IsBehind) Settle(job);
        return Find(sequence);
    }

    /// <summary>What is over for one job by the stamp happens, but for its becoming due: that has its place in a line.</summary>
    private void Settle(ModelJob job)
    {
        while (true)
        {
            int? over = job.State == JobState.Leased && job.LeaseEnd <= Now ? LeaseEnds
                : job.DiesAt <= Now ? Dies
                : job.State.IsFinished() && !job.Forgotten && job.ForgetAt <= Now ? IsForgotten
                : null;
            if (over is not { } kind) return;
            Happen(job, kind);
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

        (long At, bool Retrying)? linedUp = job.State == JobState.Scheduled ? (job.RunAt, job.Retrying) : null;
        if (linedUp == job.LinedUp) return;
        LeaveSchedule(job);
        if (linedUp is { } at) job.Queue.Waiting(at.Retrying).Add((at.At, job.Sequence));
        job.LinedUp = linedUp;
    }

    private static void LeaveSchedule(ModelJob job)
    {
        if (job.LinedUp is { } old) job.Queue.Waiting(old.Retrying).Remove((old.At, job.Sequence));
        job.LinedUp = null;
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

    private void BecomesDue(ModelJob job)
    {
        CameDue?.Invoke(job);
        job.Retrying = false;
        job.Version++;
        ToTheEnd(job);
    }

    private void LeaseRunsOut(ModelJob job)
    {
        EndAttempt(job, "expiry", job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Expired, "lease expired");
        if (!EndsWithFailure(job, dead: false)) ToTheFront(job);
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

    /// <summary>Out of the line of ready, finished or waiting jobs that it stands in.</summary>
    private static void LeaveLine(ModelJob job)
    {
        job.Place.List?.Remove(job.Place);
        LeaveSchedule(job);
    }

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
        _finishedIn = job.Queue;
        Touched(job);
    }

    /// <summary>When a job of the queue finished, the oldest goes where it keeps too many; were it more than one, that goes on later.</summary>
    private void TrimAfterFinish()
    {
        if (_finishedIn is not { } queue) return;
        _finishedIn = null;
        if (KeepsTooMany(queue)) ForgetOldest(queue);
        TrimLater(queue);
    }

    private void TrimLater(ModelQueue queue)
    {
        if (queue.IsTrimming || !KeepsTooMany(queue)) return;
        queue.IsTrimming = true;
        _calendar.Add((Now, Trims, 0, queue.Number));
    }

    private void GoOnTrimming(ModelQueue queue, (long Time, int Kind, ulong Sequence, Int128 Key) due)
    {
        if (KeepsTooMany(queue)) ForgetOldest(queue);
        if (KeepsTooMany(queue)) return;
        _calendar.Remove(due);
        queue.IsTrimming = false;
    }

    private bool KeepsTooMany(ModelQueue queue) => queue.Finished.Count > (queue.Settings.KeepFinished ?? Settings.DefaultKeepFinished);

    private void ForgetOldest(ModelQueue queue)
    {
        ModelJob oldest = queue.Finished.First!.Value;
        Forget(oldest);
        Touched(oldest);
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

    /// <summary>Ready at once when that has come, unless jobs of its queue that became due before are not ready yet.</summary>
    private void WaitUntil(ModelJob job, long runAt, bool retry)
    {
        job.RunAt = runAt;
        if (runAt <= Now && !job.Queue.HasDue(Now))
        {
            ToTheEnd(job);
            return;
        }

        job.State = JobState.Scheduled;
        job.Retrying = retry;
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
