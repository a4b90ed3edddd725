using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P6: a listing over pages gives what exists throughout exactly once: its names rise from page to page, so that none comes twice, and
/// once its last page was seen every queue is on one of them that an answered call had made, or that was seen by one, before the first
/// page was asked for. Stale pages may each be older than the one before: of them only the first holds. O(n log n).
/// </summary>
public static class ListingChecker
{
    public static void Check(RunRecord record)
    {
        var listings = record.History.Operations
            .Where(call => call is { Kind: OperationKind.ListQueues, End: OperationEnd.Applied })
            .GroupBy(call => call.FirstPage == 0 ? call.Id : call.FirstPage);
        List<(long ReturnedNs, Operation Call)> made = [.. record.History.Operations.Where(Makes).Select(call => (call.ReturnedNs, call)).OrderBy(pair => pair.ReturnedNs)];
        foreach (IGrouping<int, Operation> listing in listings) Check([.. listing.OrderBy(page => page.InvokedNs)], made);
    }

    private static bool Makes(Operation call) =>
        call is { End: OperationEnd.Applied, Code: ResultCode.Ok, Kind: OperationKind.Enqueue or OperationKind.PutQueue };

    private static void Check(List<Operation> pages, List<(long ReturnedNs, Operation Call)> made)
    {
        string? last = null;
        foreach (Operation page in pages)
        {
            Require.That(page.Limit == 0 || page.Names.Count <= page.Limit, $"P6: {page} has {page.Names.Count} queues and was to have {page.Limit} at most");
            foreach (string name in page.Names)
            {
                bool rises = last is null || string.CompareOrdinal(name, last) > 0;
                Require.That(rises, $"P6: {page} names {name}, and the listing was at {last}");
                last = name;
            }
        }

        bool whole = pages[0].After is null && (pages[^1].Limit == 0 || pages[^1].Names.Count < pages[^1].Limit);
        if (!whole || pages.Exists(page => page.Stale)) return;
        HashSet<string> seen = [.. pages.SelectMany(page => page.Names)];
        foreach ((long returnedNs, Operation call) in made)
        {
            if (returnedNs >= pages[0].InvokedNs) break;
            Require.That(call.Shard != pages[0].Shard || seen.Contains(call.Queue), $"P6: queue {call.Queue} is not listed by {pages[0]}, and was made by {call}");
        }
    }
}
