using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What the clients of a run know together: leases to use, also used ones again, jobs to ask about, keyed calls to repeat.</summary>
internal sealed class ClientShared
{
    private readonly List<Grant> _grants = [];
    private readonly List<(JobId Job, long? Version)> _jobs = [];
    private readonly List<(JobId Job, long? Version)> _unique = [];
    private readonly List<Prepared> _keyed = [];
    private readonly List<Prepared> _lost = [];
    private readonly Queue<Operation> _listings = [];
    private readonly List<Grant> _burstGrants = [];
    private readonly List<JobId> _burstJobs = [];
    private long? _burstSince;

    public void Learn(Operation operation, SplitMix64 random)
    {
        foreach (AskedJob asked in operation.Jobs)
        {
            if (!operation.IsOk || asked.Job is not { } job) continue;
            if (operation.Queue == Burst.Queue)
            {
                _burstJobs.Add(job);
                continue;
            }

            _jobs.Add((job, null));
            if (asked.UniqueKey is not null) _unique.Add((job, null));
        }

        if (operation is { Kind: OperationKind.ListQueues, Limit: > 0 } && operation.Names.Count == operation.Limit) _listings.Enqueue(operation);
        if (operation is { Kind: OperationKind.Read, Found: { } found, Job: { } seen }) _jobs.Add((seen, found.Version));
        foreach (Grant grant in operation.Grants)
        {
            if (grant.Queue == Burst.Queue)
            {
                _burstGrants.Add(grant);
                continue;
            }

            // Some workers never come back; some call twice.
            if (random.NextBelow(8) > 0) _grants.Add(grant);
            if (random.NextBelow(6) == 0) _grants.Add(grant);
        }
    }

    public void Remember(Prepared keyed) => _keyed.Add(keyed);

    /// <summary>Nobody heard what became of the call.</summary>
    public void Lost(Operation call)
    {
        if (call.IdempotencyKey is not null && _keyed.FindLast(keyed => keyed.Call == call) is { } prepared) _lost.Add(prepared);
    }

    /// <summary>Of the burst; used again and again.</summary>
    public Grant? AnyBurstGrant(SplitMix64 random) => _burstGrants.Count == 0 ? null : _burstGrants[(int)random.NextBelow(_burstGrants.Count)];

    public JobId? AnyBurstJob(SplitMix64 random) => _burstJobs.Count == 0 ? null : _burstJobs[(int)random.NextBelow(_burstJobs.Count)];

    /// <summary>When the first of the burst was sent: it is, now, unless it was before. Microseconds.</summary>
    public long BurstSince(long nowMicroseconds) => _burstSince ??= nowMicroseconds;

    /// <summary>From when on a step may be made, microseconds.</summary>
    public long NotBefore(ClientStep step, Burst? burst) =>
        _burstSince is { } since && burst?.NotBefore(step.Kind, step.Client) is { } after ? since + after : 0;

    /// <summary>A page of a listing behind which there are more; anybody may go on with it, through any node.</summary>
    public Operation? TakeListing() => _listings.TryDequeue(out Operation? page) ? page : null;

    public Grant? TakeGrant(SplitMix64 random)
    {
        if (_grants.Count == 0) return null;
        int at = (int)random.NextBelow(_grants.Count);
        Grant grant = _grants[at];
        if (random.NextBelow(4) > 0) _grants.RemoveAt(at);
        return grant;
    }

    /// <summary>Often one heard of lately, so that reads meet writes; with its version where a read told it.</summary>
    public (JobId Job, long? Version)? AnyJob(SplitMix64 random)
    {
        if (_jobs.Count == 0) return null;
        int among = random.NextBelow(2) == 0 ? Math.Min(_jobs.Count, 5) : _jobs.Count;
        return _jobs[_jobs.Count - 1 - (int)random.NextBelow(among)];
    }

    /// <summary>Every second one holds, or held, a unique key that others wait for.</summary>
    public (JobId Job, long? Version)? AnyJobToCancel(SplitMix64 random) =>
        _unique.Count > 0 && random.NextBelow(2) == 0 ? _unique[_unique.Count - 1 - (int)random.NextBelow(Math.Min(_unique.Count, 5))] : AnyJob(random);

    /// <summary>One whose answer was lost, one of the last, which may be under way, or any, whose key's window may be over.</summary>
    public Prepared? AnyKeyed(SplitMix64 random)
    {
        long way = random.NextBelow(3);
        List<Prepared> among = way == 0 && _lost.Count > 0 ? _lost : _keyed;
        if (among.Count == 0) return null;
        int newest = way == 2 ? among.Count : Math.Min(4, among.Count);
        return among[among.Count - 1 - (int)random.NextBelow(newest)];
    }
}
