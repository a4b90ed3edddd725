using System.Text.Json;
using RaftQueue.Jobs.Tests.Support;

namespace RaftQueue.Jobs.Tests.Model;

/// <summary>
/// The queue of sections 3 and 4 of the interface's page in dictionaries and lists: slow, plain, and written from that page. Each
/// method answers with the text that <see cref="ResultText"/> makes of the store's result.
/// </summary>
public sealed partial class JobModel
{
    private const long KeyWindowMs = 4000;
    private readonly Dictionary<string, ModelQueue> _queues = [];
    private readonly Dictionary<int, Remembered> _keys = [];
    private ulong _sequence;
    private ulong _fence;

    /// <summary>What the store is told by its settings command.</summary>
    public static ReplicatedSettings Settings { get; } = new()
    {
        IdempotencyWindowMs = KeyWindowMs,
        MaxIdempotencyKeys = 4,
        MaxQueues = 3,
        DefaultKeepMs = 3000,
        DefaultKeepDeadMs = 5000,
        DefaultKeepFinished = 6,
        DefaultMaxAttempts = 3,
        DefaultLeaseMs = 700,
    };

    public List<ModelJob> Jobs { get; } = [];

    public IEnumerable<ModelQueue> Queues => _queues.Values;

    /// <summary>Every grant ever made, in order.</summary>
    public List<(ulong Sequence, ulong Fence)> Grants { get; } = [];

    public long Now { get; private set; }

    public long Index { get; set; }

    /// <summary>The earliest thing that time will do.</summary>
    public long NextDue => Events().Select(e => e.Time).DefaultIfEmpty(long.MaxValue).Min();

    public ModelQueue? Queue(string name) => _queues.GetValueOrDefault(name);

    /// <summary>Time passes: what is due happens in the order of time, kind and enqueue.</summary>
    public void Advance(long now)
    {
        Now = Math.Max(Now, now);
        while (true)
        {
            var due = Events().Where(e => e.Time <= Now).OrderBy(e => (e.Time, e.Kind, e.Sequence)).ToList();
            if (due.Count == 0) return;
            due[0].Fire();
        }
    }

    private IEnumerable<(long Time, int Kind, ulong Sequence, Action Fire)> Events()
    {
        foreach (ModelJob job in Jobs)
        {
            if (job is { State: JobState.Leased, Forgotten: false }) yield return (job.LeaseEnd, 1, job.Sequence, () => LeaseRunsOut(job));
            if (job.DiesAt is { } dies) yield return (dies, 2, job.Sequence, () => Finish(job, JobState.Dead, JobReason.Expired));
            if (job.State == JobState.Scheduled) yield return (job.RunAt, 3, job.Sequence, () => BecomesDue(job));
            if (job is { HoldsKey: true, WindowEnd: { } end }) yield return (end, 4, job.Sequence, () => job.HoldsKey = false);
            if (job.State.IsFinished() && !job.Forgotten) yield return (job.ForgetAt, 5, job.Sequence, () => Forget(job));
        }

        foreach ((int key, Remembered known) in _keys) yield return (known.Until, 6, 0, () => _keys.Remove(key));
    }

    private void BecomesDue(ModelJob job)
    {
        job.State = JobState.Ready;
        job.Retrying = false;
        job.Version++;
        job.Queue.Ready.Add(job);
    }

    private void LeaseRunsOut(ModelJob job)
    {
        EndAttempt(job, "expiry", job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Expired, "lease expired");
        if (!EndsWithFailure(job, dead: false)) ToTheFront(job);
        Trim(job.Queue);
    }

    private static void ToTheFront(ModelJob job)
    {
        job.State = JobState.Ready;
        job.Queue.Ready.Insert(0, job);
    }

    private void EndAttempt(ModelJob job, string by, AttemptOutcome outcome, string? error)
    {
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
        job.Queue.Ready.Remove(job);
        job.State = state;
        job.Reason = reason;
        job.Retrying = false;
        job.DiesAt = null;
        job.Version++;
        job.FinishedAt = Now;
        job.ForgetAt = Now + (state == JobState.Dead ? job.Spec.KeepDeadMs ?? Settings.DefaultKeepDeadMs : job.KeepMs);
        if (job.WindowEnd is null) job.HoldsKey = false;
        if (state == JobState.Dead) return;
        job.Queue.Finished.Add(job);
    }

    private static void Trim(ModelQueue queue)
    {
        while (queue.Finished.Count > (queue.Settings.KeepFinished ?? Settings.DefaultKeepFinished)) Forget(queue.Finished[0]);
    }

    private static void Forget(ModelJob job)
    {
        job.Forgotten = true;
        job.Queue.Finished.Remove(job);

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

        job.State = JobState.Ready;
        job.Queue.Ready.Add(job);
    }

    private long RunAt(long? delayMs, long? runAtMs, long? defaultDelay) =>
        runAtMs is { } at ? Math.Max(at, Now) : Now + (delayMs ?? defaultDelay ?? 0);

    private static string? KeyOf(ModelQueue? queue, TestJob spec)
    {
        if (spec.Key is not null || queue is null || !queue.Settings.UniqueBy) return spec.Key;
        if (spec.PayloadKind != PayloadKind.Json) return "[null]";
        using JsonDocument document = JsonDocument.Parse(spec.Payload!);
        bool has = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("k", out _);
        return has ? $"[{document.RootElement.GetProperty("k").GetRawText()}]" : "[null]";
    }

    /// <summary>What a key's first request did.</summary>
    private sealed record Remembered(int Body, long Until, long Index, string Rows, List<(ulong Sequence, ulong Fence)>? Leases);
}
