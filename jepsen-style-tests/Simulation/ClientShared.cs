using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What the clients of a run know together: leases to use, also used ones again, jobs to ask about, keys to repeat.</summary>
internal sealed class ClientShared
{
    private readonly List<Grant> _grants = [];
    private readonly List<JobId> _jobs = [];

    public List<Operation> Keyed { get; } = [];

    public void Learn(Operation operation, SplitMix64 random)
    {
        if (operation is { Kind: OperationKind.Enqueue, IsOk: true, Job: { } job }) _jobs.Add(job);
        foreach (Grant grant in operation.Grants)
        {
            // Some workers never come back; some call twice.
            if (random.NextBelow(8) > 0) _grants.Add(grant);
            if (random.NextBelow(6) == 0) _grants.Add(grant);
        }
    }

    public Grant? TakeGrant(SplitMix64 random)
    {
        if (_grants.Count == 0) return null;
        int at = (int)random.NextBelow(_grants.Count);
        Grant grant = _grants[at];
        if (random.NextBelow(4) > 0) _grants.RemoveAt(at);
        return grant;
    }

    /// <summary>Often a young one, so that reads meet writes.</summary>
    public JobId? AnyJob(SplitMix64 random)
    {
        if (_jobs.Count == 0) return null;
        int among = random.NextBelow(2) == 0 ? Math.Min(_jobs.Count, 5) : _jobs.Count;
        return _jobs[_jobs.Count - 1 - (int)random.NextBelow(among)];
    }

    public Operation? RepeatKeyed(SplitMix64 random) =>
        Keyed.Count == 0 ? null : Keyed[Keyed.Count - 1 - (int)random.NextBelow(Math.Min(4, Keyed.Count))];
}
