using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P2: what the log grants to a lease request agrees with what its client was told. Needs the log; O(n). Of a grant that nobody was told of:
/// <list type="bullet">
/// <item>nobody uses it;</item>
/// <item>a request that was refused as not applied has none, at any index;</item>
/// <item>an answer is not contradicted by the log up to its index: "nothing", or other leases, is said only where none was granted before.
/// A copy of the request that a later leader took, or that stands behind it in one entry, may be granted after it;</item>
/// <item>the node that asked gives it back. Only this may fail while there are faults: a node that dies, or finds no leader in time,
/// leaves the lease to run out, and the log does not tell why. Under an idempotency key it is kept for a repeat.</item>
/// </list>
/// A request over several shards is several, of which one was answered: for it only the first and the last rule hold.
/// </summary>
public static class DefiniteChecker
{
    /// <param name="record">The run.</param>
    /// <param name="mayLetRunOut">Whether the node that asked for a lease may have been kept from giving it back.</param>
    public static void Check(RunRecord record, Func<LogGrant, bool> mayLetRunOut)
    {
        if (record.Truth is { } truth) Check(record.History, truth.Shards.SelectMany(shard => shard.Grants), mayLetRunOut);
    }

    /// <param name="history">The calls.</param>
    /// <param name="log">What was granted, whoever was told.</param>
    /// <param name="mayLetRunOut">Whether the node that asked for a lease may have been kept from giving it back.</param>
    public static void Check(History history, IEnumerable<LogGrant> log, Func<LogGrant, bool> mayLetRunOut)
    {
        HashSet<(int Shard, ulong Fence)> told = [.. history.Grants.Select(pair => ((int)pair.Grant.Job.Shard.Value, pair.Grant.Fence))];
        foreach (LogGrant grant in log)
        {
            if (told.Contains((grant.Job.Shard.Value, grant.Fence)) || grant.Call is not { } call) continue;
            Require.That(grant.EndedBy is null or "revoke" or "expiry", $"P2: {grant} was used, and nobody was told of it: {call}");
            if (!call.SpansShards) RequireNoContradiction(grant, call);
            bool back = call.IdempotencyKey is not null || grant.EndedBy == "revoke" || mayLetRunOut(grant);
            Require.That(back, $"P2: {grant} was granted to a request that was not told so, and not given back: {call}");
        }
    }

    private static void RequireNoContradiction(LogGrant grant, Operation call)
    {
        Require.That(call.End != OperationEnd.NotApplied, $"P2: {grant} was granted to a refused request: {call}");
        bool decided = call.End == OperationEnd.Applied && !call.Replayed;
        Require.That(
            !decided || grant.Index > call.Index || IsSecondOfItsEntry(grant, call),
            $"P2: {grant} stood in the log when its request was told {(call.Code == ResultCode.Empty ? "that there is nothing" : "of others")}: {call}");
    }

    /// <summary>A node whose connection broke sends its request again: both copies may stand in one entry, and the first is answered.</summary>
    private static bool IsSecondOfItsEntry(LogGrant grant, Operation call) =>
        grant.Index == call.Index && call.Grants.Count > 0 && call.Grants.All(told => told.Fence < grant.Fence);
}
