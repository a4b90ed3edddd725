using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P8: per client and job the version never falls, and along the log a job's version and state go only ways that exist: the same
/// version is the same state, a finished job stays as it is. O(n log n).
/// </summary>
public static class MonotoneChecker
{
    public static void Check(RunRecord record)
    {
        var reads = record.History.Operations.Where(call => call is { Kind: OperationKind.Read, End: OperationEnd.Applied, Found: not null });
        foreach (IGrouping<JobId, Operation> job in reads.GroupBy(read => read.Job!.Value.Key()))
        {
            CheckLog(job.OrderBy(read => read.Index.Value));
            foreach (IGrouping<int, Operation> client in job.Where(read => !read.Stale).GroupBy(read => read.Client))
                CheckClient(client.OrderBy(read => read.InvokedNs));
        }
    }

    private static void CheckClient(IEnumerable<Operation> reads)
    {
        Operation? before = null;
        foreach (Operation read in reads)
        {
            Require.That(
                before is null || read.Found!.Version >= before.Found!.Version || read.InvokedNs < before.ReturnedNs,
                $"P8: {read} shows version {read.Found!.Version}, the same client saw {before?.Found!.Version} in {before}");
            before = read;
        }
    }

    private static void CheckLog(IEnumerable<Operation> reads)
    {
        Operation? before = null;
        foreach (Operation read in reads)
        {
            if (before is { Found: { } was } && read.Found is { } now)
            {
                Require.That(now.Version >= was.Version, $"P8: {read} shows version {now.Version}, {before} at an earlier index {was.Version}");
                Require.That(
                    now.Version != was.Version || now.State == was.State, $"P8: version {now.Version} is {was.State} in {before} and {now.State} in {read}");
                Require.That(!was.IsFinished || now.State == was.State, $"P8: {was.State} in {before} became {now.State} in {read}");
            }

            before = read;
        }
    }
}
