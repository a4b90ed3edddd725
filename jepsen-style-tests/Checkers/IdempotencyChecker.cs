using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P9: within its window an idempotency key has one outcome: one set of jobs over all accepted replies, one word on each lease token, one
/// reply that is no replay, one body. And no request, keyed or not, made two jobs. O(n log n).
/// </summary>
public static class IdempotencyChecker
{
    public static void Check(RunRecord record)
    {
        var keyed = record.History.Operations.Where(call => call.IdempotencyKey is not null && call.IsOk);
        // What was not answered may be the first that a later one replays; the log, where it is known, says so of all but leases.
        HashSet<(ShardId, string)> open = [.. record.History.Operations
            .Where(call => call.IdempotencyKey is not null && call.IsOpen && (record.Truth is null || call.Kind == OperationKind.Lease))
            .Select(call => (call.Shard, call.IdempotencyKey!))];
        foreach (var key in keyed.GroupBy(call => (call.Shard, call.IdempotencyKey!)))
        {
            CheckKey(record, key.Key.Shard, [.. key.OrderBy(call => call.Index.Value).ThenBy(call => call.Replayed)], open.Contains(key.Key));
        }

        CheckPayloads(record);
        if (record.Truth is { } truth) CheckEmptyRepeats(record, truth);
    }

    /// <summary>"Nothing to lease" is no answer to a repeat while the leases that the key was granted live.</summary>
    private static void CheckEmptyRepeats(RunRecord record, Truth truth)
    {
        ILookup<(ShardId, string), LogGrant> byKey = truth.Shards.SelectMany(shard => shard.Grants)
            .Where(grant => grant.Call?.IdempotencyKey is not null)
            .ToLookup(grant => (grant.Job.Shard, grant.Call!.IdempotencyKey!));
        foreach (Operation call in record.History.Operations)
        {
            if (call is not { Kind: OperationKind.Lease, End: OperationEnd.Applied, Code: ResultCode.Empty, IdempotencyKey: { } key }) continue;
            LogGrant? alive = byKey[(call.Shard, key)].FirstOrDefault(grant =>
                grant.Index <= call.Index && (grant.EndedBy is null || grant.EndIndex > call.Index)
                && truth.StampOf(call.Shard, call.Index) < grant.StampMs + record.IdempotencyWindowMs);
            Require.That(alive is null, $"P9: {call} was told that there is nothing, and its key has {alive}");
        }
    }

    private static void CheckKey(RunRecord record, ShardId shard, List<Operation> calls, bool mayReplayOpen)
    {
        Operation? first = null;
        foreach (Operation call in calls)
        {
            bool fresh = !call.Replayed;
            if (fresh && first is not null && !IsOver(record, shard, first, call))
                throw new PropertyViolatedException($"P9: key {call.IdempotencyKey} was new to {call} and to {first}");
            if (fresh) first = call;
            if (first is null || fresh || mayReplayOpen) continue;
            Require.That(first.KeyBody == call.KeyBody, $"P9: {call} replays {first}, which had another body");
            IEnumerable<JobId?> mine = call.Jobs.Select(asked => asked.Job?.Key());
            Require.That(
                mine.SequenceEqual(first.Jobs.Select(asked => asked.Job?.Key())), $"P9: {call} replays {first} with other jobs: {string.Join(' ', mine)}");
            Require.That(SaysTheSame(call, first), $"P9: {call} replays {first} and says something else of its leases");
        }
    }

    /// <summary>Of tokens the first outcome is told again; of a lease request those of the leases that live.</summary>
    private static bool SaysTheSame(Operation call, Operation first)
    {
        if (call.Kind != first.Kind) return false;
        if (call.Kind == OperationKind.Lease) return call.Grants.All(told => first.Grants.Any(grant => grant.Fence == told.Fence));
        // Of a call that was not answered the log tells what became of its tokens, but not what it would have been told of their ends.
        bool tellsEnds = call.Kind == OperationKind.Extend && !first.FoundInLog && !call.FoundInLog;
        bool Same(Operation one, Operation other) => one.Status == other.Status && (!tellsEnds || one.ExpiresAtMs == other.ExpiresAtMs);
        return Same(call, first) && call.Rows.Count == first.Rows.Count && call.Rows.Zip(first.Rows).All(pair => Same(pair.First, pair.Second));
    }

    /// <summary>The key's window had passed, by the stamps of the log or else by the harness's clock.</summary>
    private static bool IsOver(RunRecord record, ShardId shard, Operation first, Operation call) =>
        record.Truth is { } truth
            ? truth.StampOf(shard, call.Index) >= truth.StampOf(shard, first.Index) + record.IdempotencyWindowMs
            : call.ReturnedNs >= first.InvokedNs + (record.SlowestClock * record.IdempotencyWindowMs * 1e6);

    private static void CheckPayloads(RunRecord record)
    {
        var makers = new Dictionary<string, (JobId Job, Operation Call)>(StringComparer.Ordinal);
        foreach (Operation call in record.History.Ok(OperationKind.Enqueue))
        {
            // The same call again after its key's window makes the same payload again.
            if (call.IdempotencyKey is not null) continue;
            foreach (AskedJob asked in call.Jobs)
            {
                // Jobs without a payload cannot be told apart by it.
                if (!asked.Created || asked.Payload.Length == 0 || asked.Job is not { } job || makers.TryAdd(asked.Payload, (job.Key(), call))) continue;
                Require.That(makers[asked.Payload].Job == job.Key(), $"P9: {asked.Payload} is {job} of {call} and {makers[asked.Payload]}");
            }
        }

        foreach ((int node, IReadOnlyDictionary<JobId, JobSnapshot> jobs) in record.FinalJobs)
        {
            foreach ((JobId id, JobSnapshot job) in jobs)
            {
                if (!makers.TryGetValue(job.Payload, out (JobId Job, Operation Call) maker)) continue;
                bool asked = maker.Job == id.Key() || record.EnqueuesByJob[id.Key()].Any(pair => pair.Asked.Replaced == true);
                Require.That(asked, $"P9: {job.Payload} was enqueued once, by {maker.Call}, and is {id} on node {node} too");
            }
        }
    }
}
