
namespace RaftQueue.Checkers;

/// <summary>
/// A lease request that was answered has the leases that it was told of and no others: whatever else the log granted to it was given
/// back by the node that asked, or ran out by itself when that node was gone. A call that was refused as not applied, and nobody's
/// call, uses none. Needs the log. O(n).
/// </summary>
public static class DefiniteChecker
{
    /// <param name="record">The run.</param>
    /// <param name="mayLetRunOut">Whether the node that asked for a lease may have been kept from giving it back.</param>
    public static void Check(RunRecord record, Func<LogGrant, bool> mayLetRunOut)
    {
        if (record.Truth is not { } truth) return;
        HashSet<(int Shard, ulong Fence)> told = [.. record.History.Grants.Select(pair => ((int)pair.Grant.Job.Shard.Value, pair.Grant.Fence))];
        foreach (LogGrant grant in truth.Shards.SelectMany(shard => shard.Grants))
        {
            if (told.Contains((grant.Job.Shard.Value, grant.Fence)) || grant.Call is not { } call) continue;
            bool used = grant.EndedBy is not (null or "revoke" or "expiry");
            Require.That(!used, $"P2: {grant} was used, and nobody was told of it: {call}");
            if (call.IsOpen || call.End == OperationEnd.Info) continue;
            string what = call.End == OperationEnd.NotApplied ? "a refused request" : "a request that was not told so";
            bool back = grant.EndedBy == "revoke" || mayLetRunOut(grant);
            Require.That(back, $"P2: {grant} was granted to {what}, and not given back: {call}");
        }
    }
}
