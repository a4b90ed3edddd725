using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P6: the index of every call is at least the highest index of the calls that had returned before it began (a running maximum), and
/// where the log is known every answer is the model's at its index. O(n log n).
/// </summary>
public static class ReadChecker
{
    public static void Check(RunRecord record)
    {
        foreach (IGrouping<ShardId, Operation> shard in record.History.Operations
            .Where(operation => operation is { End: OperationEnd.Applied, Stale: false, Replayed: false })
            .GroupBy(operation => operation.Shard))
        {
            CheckRealTime([.. shard]);
        }

        record.Truth?.RequireSame("P6");
    }

    private static void CheckRealTime(List<Operation> operations)
    {
        var events = new List<(long Ns, bool Returns, Operation Operation)>(2 * operations.Count);
        foreach (Operation operation in operations)
        {
            Require.That(operation.Index > LogIndex.Zero, $"P6: {operation} has no index");
            events.Add((operation.InvokedNs, false, operation));
            events.Add((operation.ReturnedNs, true, operation));
        }

        events.Sort(static (left, right) => left.Ns.CompareTo(right.Ns));
        LogIndex highest = LogIndex.Zero;
        Operation? holder = null;
        var floors = new Dictionary<Operation, (LogIndex Index, Operation? Holder)>(operations.Count);
        foreach ((_, bool returns, Operation operation) in events)
        {
            if (!returns)
            {
                floors.Add(operation, (highest, holder));
                continue;
            }

            (LogIndex floor, Operation? before) = floors[operation];
            Require.That(operation.Index >= floor, $"P6: {operation} began after this had returned: {before}");
            if (operation.Index <= highest) continue;
            highest = operation.Index;
            holder = operation;
        }
    }
}
