using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>What requests do that show no lease.</summary>
public sealed partial class JobModel
{
    public string Enqueue(string name, bool single, IReadOnlyList<PlainJob> specs, (Int128 Key, Int128 Body)? key)
    {
        Last = new ModelEffect();
        if (Known(key, out string known)) return known;
        ModelQueue? queue = Queue(name);
        if (queue is null && _queues.Count >= Settings.MaxQueues) return Head(ResultCode.TooManyQueues);
        if (StateIsFull) return Head(ResultCode.StateFull);
        List<string> refusals = Refusals(queue, specs);
        if (refusals.Count > 0) return Head(ResultCode.UniqueConflict) + Rows(refusals);
        queue ??= AddQueue(name);
        var rows = new List<string>();
        foreach (PlainJob spec in specs)
        {
            string? unique = KeyOf(queue, spec);
            ModelJob? holder = unique is null ? null : Holder(queue, unique);
            bool? replaced = holder is not null && spec.OnConflict == ConflictChoice.Replace ? Replace(holder, spec) : null;
            ModelJob job = holder ?? Create(queue, spec, unique);
            string row = ResultText.Enqueued(job.Sequence, job.State, holder is null, replaced);
            Last.Enqueued.Add((job, holder is null, replaced));
            rows.Add(single ? $"{row} {job.Shot(withPayload: false)}" : row);
        }

        return Accept(key, Rows(rows));
    }

    public string Lease(string[] names, int max, long? leaseMs, string worker, long pullAhead, (Int128 Key, Int128 Body)? key)
    {
        Last = new ModelEffect();
        if (key is { } replay && Remembers(replay.Key) is { Leases: { } leases } first && first.Body == replay.Body)
        {
            ModelJob[] alive = [.. leases.Where(l => Touch(l.Sequence) is { State: JobState.Leased } job && job.Fence == l.Fence).Select(l => Find(l.Sequence)!)];
            Last.Replayed = true;
            return ResultText.Head(ResultCode.Ok, true, first.Index) + Rows([.. alive.Select(GrantText)]);
        }

        if (Known(key, out string known)) return known;
        var granted = new List<ModelJob>();
        int late = TimersOfAnEntry;
        foreach (string name in names)
        {
            if (granted.Count < max && Queue(name) is { } queue) GrantReady(queue, granted, max, leaseMs, worker, ref late);
        }

        bool nothingDue = granted.Count == 0;
        foreach (string name in names)
        {
            if (nothingDue && pullAhead > 0 && granted.Count < max && Queue(name) is { } queue) GrantAhead(queue, granted, max, leaseMs, worker, pullAhead, ref late);
        }

        if (granted.Count == 0) return Head(ResultCode.Empty);
        if (key is { } given) Remember(given.Key, given.Body, "", [.. granted.Select(j => (j.Sequence, j.Fence))]);
        return Head(ResultCode.Ok) + Rows([.. granted.Select(GrantText)]);
    }

    /// <param name="late">How many things more the request may carry out that no entry has got to yet.</param>
    private void GrantReady(ModelQueue queue, List<ModelJob> granted, int max, long? leaseMs, string worker, ref int late)
    {
        if (IsBehind) Behind.Leases++;
        for (bool behind = IsBehind; behind && late > 0 && queue.FirstDue(Now) is { } due; late--) Happen(_jobs[due], BecomesDueAt);
        while (granted.Count < max && queue.FirstReady is { } job)
        {
            if (IsTooOld(job, ref late, out bool mayGoOn))
            {
                if (!mayGoOn) return;
                continue;
            }

            Grant(job, leaseMs, worker);
            granted.Add(job);
        }
    }

    private void GrantAhead(ModelQueue queue, List<ModelJob> granted, int max, long? leaseMs, string worker, long pullAhead, ref int late)
    {
        while (granted.Count < max && queue.Scheduled.Count > 0 && queue.Scheduled.Min.RunAt <= Now + pullAhead)
        {
            ModelJob job = _jobs[queue.Scheduled.Min.Sequence];
            if (IsTooOld(job, ref late, out bool mayGoOn))
            {
                if (!mayGoOn) return;
                continue;
            }

            Grant(job, leaseMs, worker);
            granted.Add(job);
        }
    }

    /// <summary>Nobody leased it in time: it dies, if the request may still carry that out, and is granted to nobody.</summary>
    private bool IsTooOld(ModelJob job, ref int late, out bool mayGoOn)
    {
        mayGoOn = true;
        if (job.DiesAt is not { } end || end > Now) return false;
        mayGoOn = late > 0;
        if (!mayGoOn) return true;
        late--;
        Happen(job, Dies);
        return true;
    }

    public string Cancel(ulong sequence, long? ifVersion, (Int128 Key, Int128 Body)? key = null)
    {
        Last = new ModelEffect();
        if (Known(key, out string known)) return known;
        ModelJob? job = Touch(sequence);
        if (job is null) return Head(ResultCode.JobNotFound);
        if (ifVersion is { } version && version != job.Version) return Head(ResultCode.VersionMismatch);
        if (job.State is JobState.Succeeded or JobState.Dead) return Head(ResultCode.WrongState);
        if (job.State == JobState.Leased)
        {
            if (!job.CancelRequested) job.Version++;
            job.CancelRequested = true;
            Touched(job);
        }
        else if (job.State != JobState.Cancelled)
        {
            Finish(job, JobState.Cancelled, JobReason.None);
        }

        string answer = Accept(key, Rows([job.Shot(withPayload: true).ToString()]));
        TrimAfterFinish();
        return answer;
    }

    /// <summary>A PUT with <paramref name="replaceAll"/>, else a PATCH.</summary>
    public string PutQueue(string name, bool replaceAll, ModelMap patch, (Int128 Key, Int128 Body)? key = null)
    {
        Last = new ModelEffect();
        if (Known(key, out string known)) return known;
        bool created = Queue(name) is null;
        if (created && _queues.Count >= Settings.MaxQueues) return Head(ResultCode.TooManyQueues);
        ModelQueue queue = Queue(name) ?? AddQueue(name);
        queue.Settings.Change(replaceAll, patch);
        TrimLater(queue);
        return Accept(key, Rows([$"{created} {queue.Text(Now)}"]));
    }

    private void Grant(ModelJob job, long? leaseMs, string worker)
    {
        LeaveLine(job);
        job.State = JobState.Leased;
        job.DiesAt = null;
        job.StartedThisRun = true;
        job.Attempt++;
        job.Version++;
        job.Fence = ++_fence;
        job.EndedBy = null;
        job.Worker = worker;
        job.Progress = null;
        job.StartedAt = Now;
        job.LeaseEnd = Now + (leaseMs ?? job.Queue.Settings.Default("leaseMs") ?? Settings.DefaultLeaseMs);
        if (job.Spec.Until == UniqueUntil.Leased && job.Spec.Key is not null) ReleaseKey(job);
        job.Attempts.Add(new ModelAttempt { Number = job.Attempt, Worker = worker, StartedAt = Now });
        Touched(job);
        Last.Granted.Add(job);
        Granted?.Invoke(job);
    }

    private string GrantText(ModelJob job) => $"{job.Fence} {job.LeaseEnd} {job.LeaseEnd - Now} {job.Shot(withPayload: true)}";

    private ModelJob Create(ModelQueue queue, PlainJob spec, string? unique)
    {
        ModelSettings settings = queue.Settings;
        bool empty = spec is { Key: not null, Until: UniqueUntil.Window, WindowMs: 0 };
        var job = new ModelJob
        {
            Sequence = ++_sequence,
            Queue = queue,
            Spec = spec with
            {
                ExpireAfterMs = spec.ExpireAfterMs ?? settings.Default("expireAfterMs"),
                KeepDeadMs = spec.KeepDeadMs ?? settings.Default("keepDeadMs"),
                Type = spec.Type ?? settings.DefaultText("type"),
                Tags = spec.Tags ?? settings.Tags,
                Headers = spec.Headers ?? settings.Headers,
            },
            Payload = spec.Payload,
            PayloadKind = spec.PayloadKind,
            ContentType = ContentTypeOf(queue, spec),
            Priority = (int)(spec.Priority ?? settings.Default("priority") ?? 0),
            MaxAttempts = spec.MaxAttempts ?? settings.Default("maxAttempts") ?? Settings.DefaultMaxAttempts,
            Retry = spec.Retry ?? settings.Retry ?? ModelBackOff.BuiltIn,
            KeepMs = spec.KeepMs ?? settings.Default("keepMs"),
            Key = unique,
            WindowEnd = spec is { Key: not null, Until: UniqueUntil.Window } ? Now + spec.WindowMs : null,
            CreatedAt = Now,
        };
        _jobs.Add(job.Sequence, job);
        if (unique is not null && !empty) TakeKey(job);
        queue.Enqueued++;
        WaitUntil(job, RunAt(spec.DelayMs, spec.RunAtMs, settings.Default("delayMs")), retry: false);
        job.DiesAt = job.RunAt + job.Spec.ExpireAfterMs;
        Touched(job);
        return job;
    }

    private bool Replace(ModelJob holder, PlainJob spec)
    {
        if (holder.State is not (JobState.Scheduled or JobState.Ready)) return false;
        LeaveLine(holder);
        holder.Payload = spec.Payload;
        holder.PayloadKind = spec.PayloadKind;
        holder.ContentType = ContentTypeOf(holder.Queue, spec);
        holder.Spec = holder.Spec with { Tags = spec.Tags ?? holder.Queue.Settings.Tags, Headers = spec.Headers ?? holder.Queue.Settings.Headers };
        holder.Priority = (int)(spec.Priority ?? holder.Queue.Settings.Default("priority") ?? 0);
        holder.Version++;
        holder.Retrying = false;
        WaitUntil(holder, RunAt(spec.DelayMs, spec.RunAtMs, holder.Queue.Settings.Default("delayMs")), retry: false);
        holder.DiesAt = holder.StartedThisRun ? null : holder.RunAt + holder.Spec.ExpireAfterMs;
        Touched(holder);
        return true;
    }

    /// <summary>Only bytes have one: the type of what is JSON is known.</summary>
    private static string? ContentTypeOf(ModelQueue queue, PlainJob spec) =>
        spec.ContentType ?? (spec.PayloadKind == PayloadKind.Bytes ? queue.Settings.DefaultText("contentType") : null);

    private List<string> Refusals(ModelQueue? queue, IReadOnlyList<PlainJob> specs)
    {
        var refusals = new List<string>();
        for (int i = 0; i < specs.Count; i++)
        {
            if (specs[i].Key is not { } key || specs[i].OnConflict != ConflictChoice.Reject) continue;
            ModelJob? holder = queue is null ? null : Holder(queue, key);
            if (holder is null && !specs.Take(i).Any(earlier => KeyOf(queue, earlier) == key)) continue;
            refusals.Add($"{i} {ResultCode.UniqueConflict} {holder?.Sequence}");
        }

        return refusals;
    }

    private ModelJob? Holder(ModelQueue queue, string key)
    {
        ModelJob? holder = _holders.GetValueOrDefault((queue, key));
        if (holder is null || !IsBehind) return holder;
        Behind.Keys++;
        Settle(holder);
        if (holder.HoldsKey && holder.WindowEnd <= Now) Happen(holder, WindowEnds);
        return _holders.GetValueOrDefault((queue, key));
    }

    private ModelQueue AddQueue(string name)
    {
        var queue = new ModelQueue { Name = name, Number = _queues.Count };
        _queues.Add(name, queue);
        return queue;
    }

    private bool Known((Int128 Key, Int128 Body)? key, out string answer)
    {
        answer = "";
        if (key is not { } given) return false;
        if (Remembers(given.Key) is { } first)
        {
            bool same = first.Body == given.Body;
            Last = same ? first.Effect : new ModelEffect();
            Last.Replayed = same;
            answer = same
                ? ResultText.Head(ResultCode.Ok, true, first.Index) + first.Rows
                : Head(ResultCode.IdempotencyConflict);
            return true;
        }

        if (_keys.Count < Settings.MaxIdempotencyKeys) return false;
        answer = Head(ResultCode.IdempotencyFull);
        return true;
    }

    /// <summary>What the key's first request did; null when there was none, or its window is over.</summary>
    private Remembered? Remembers(Int128 key)
    {
        if (!_keys.TryGetValue(key, out Remembered? first) || first.Until > Now) return first;
        _keys.Remove(key);
        _calendar.Remove((first.Until, KeyEnds, 0, key));
        return null;
    }

    private string Accept((Int128 Key, Int128 Body)? key, string rows)
    {
        if (key is { } given) Remember(given.Key, given.Body, rows, null);
        return Head(ResultCode.Ok) + rows;
    }

    private void Remember(Int128 key, Int128 body, string rows, List<(ulong Sequence, ulong Fence)>? leases)
    {
        long until = Now + Settings.IdempotencyWindowMs;
        _keys[key] = new Remembered(body, until, Index, rows, leases, Last);
        _calendar.Add((until, KeyEnds, 0, key));
    }

    private string Head(ResultCode code) => ResultText.Head(code, false, Index);

    private static string Rows(IReadOnlyList<string> rows) => string.Concat(rows.Select(row => "\n  " + row));
}
