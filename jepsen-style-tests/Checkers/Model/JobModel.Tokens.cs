using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>What calls on leases do.</summary>
public sealed partial class JobModel
{
    public string Ack(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key = null) => Finishing(items, key, "ack", (job, item) =>
    {
        EndAttempt(job, "ack", AttemptOutcome.Succeeded, null);
        job.Version--;
        job.Result = item.Text;
        job.Queue.Succeeded++;
        Finish(job, JobState.Succeeded, JobReason.None);
    });

    public string Nack(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key = null) => Finishing(items, key, "nack", (job, item) =>
    {
        EndAttempt(job, "nack", job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Failed, item.Text);
        if (EndsWithFailure(job, item.Dead)) return;
        WaitUntil(job, Now + (item.DelayMs ?? ModelBackOff.DelayMs(job.Retry, job.Sequence, job.Attempt)), retry: true);
    });

    public string Release(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key = null) =>
        Finishing(items, key, "release", (job, item) => HandBack(job, "release", item.DelayMs ?? 0));

    /// <summary>No client's: the node that asked for a lease gives it back.</summary>
    public string Revoke(IReadOnlyList<ModelItem> items) => Finishing(items, null, "revoke", (job, _) => HandBack(job, "revoke", 0));

    public string Reschedule(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key = null) =>
        Finishing(items, key, "reschedule", (job, item) =>
        {
            EndAttempt(job, "reschedule", job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Rescheduled, null);
            if (job.CancelRequested)
            {
                job.Version--;
                Finish(job, JobState.Cancelled, JobReason.None);
                return;
            }

            job.Queue.Succeeded++;
            job.Runs++;
            job.Attempt = 0;
            job.Progress = null;
            job.StartedThisRun = false;
            job.Priority = item.Priority ?? job.Priority;
            if (item.PayloadKind is { } kind)
            {
                job.Payload = item.Payload;
                job.PayloadKind = kind;
                job.ContentType = item.ContentType;
            }

            WaitUntil(job, RunAt(item.DelayMs, item.RunAtMs, null), retry: false);
            job.DiesAt = job.RunAt + job.Spec.ExpireAfterMs;
        });

    public string Extend(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key = null)
    {
        Last = new ModelEffect();
        if (Known(key, out string known)) return known;
        var rows = new List<string>();
        foreach (ModelItem item in items)
        {
            bool live = IsLive(item.Token, out ModelJob? job);
            Last.Statuses.Add(live ? TokenStatus.Ok : TokenStatus.LeaseLost);
            if (live)
            {
                job!.LeaseEnd = Now + item.LeaseMs;
                job.Version++;
                job.Progress = item.Text ?? job.Progress;
                Touched(job);
            }

            rows.Add(live
                ? $"ExtendRow {{ Status = Ok, ExpiresAtMs = {Now + item.LeaseMs}, RemainingMs = {item.LeaseMs}, CancelRequested = {job!.CancelRequested} }}"
                : "ExtendRow { Status = LeaseLost, ExpiresAtMs = 0, RemainingMs = 0, CancelRequested = False }");
        }

        return Accept(key, Rows(rows));
    }

    /// <summary>Under a key that is known: what the first call was told, and nothing happens.</summary>
    private string Finishing(IReadOnlyList<ModelItem> items, (Int128 Key, Int128 Body)? key, string verb, Action<ModelJob, ModelItem> end)
    {
        Last = new ModelEffect();
        if (Known(key, out string known)) return known;
        var rows = new List<string>();
        foreach (ModelItem item in items)
        {
            bool live = IsLive(item.Token, out ModelJob? job);
            bool repeat = !live && job is not null && job.Fence == item.Token.Fence && job.EndedBy == verb;
            Last.Statuses.Add(live || repeat ? TokenStatus.Ok : TokenStatus.LeaseLost);
            rows.Add(live || repeat ? "Ok" : "LeaseLost");
            if (!live) continue;
            end(job!, item);
            Touched(job!);
            TrimAfterFinish();
        }

        return Accept(key, Rows(rows));
    }

    private void HandBack(ModelJob job, string by, long delayMs)
    {
        EndAttempt(job, by, job.CancelRequested ? AttemptOutcome.Cancelled : AttemptOutcome.Released, null);
        job.Attempt--;
        if (job.CancelRequested)
        {
            job.Version--;
            Finish(job, JobState.Cancelled, JobReason.None);
        }
        else if (delayMs > 0)
        {
            WaitUntil(job, Now + delayMs, retry: false);
        }
        else
        {
            ToTheFront(job);
        }
    }

    private bool IsLive(LeaseToken token, out ModelJob? job)
    {
        job = Touch(token.Job.Sequence);
        return job is { State: JobState.Leased } && job.Fence == token.Fence;
    }
}
