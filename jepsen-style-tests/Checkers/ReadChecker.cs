using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P6 and P8: the index of a call is not below that of any call that returned before it began; a read shows what the log says
/// at its index; versions never fall.
/// </summary>
public static class ReadChecker
{
    public static void Check(RunRecord record)
    {
        foreach (IGrouping<int, Operation> shard in record.History.Operations
            .Where(operation => operation.End == OperationEnd.Applied)
            .GroupBy(operation => (int)operation.Shard.Value))
        {
            CheckRealTime([.. shard]);
        }

        foreach (IGrouping<JobId, Operation> calls in record.CallsByJob)
        {
            List<Operation> reads = [.. calls.Where(call => call is { Kind: OperationKind.Read, End: OperationEnd.Applied }).OrderBy(call => call.Index)];
            CheckReads(record, calls.Key, reads);
        }
    }

    private static void CheckRealTime(List<Operation> operations)
    {
        var events = new List<(long Order, bool Returns, Operation Operation)>();
        foreach (Operation operation in operations)
        {
            events.Add((operation.InvokedOrder, false, operation));
            events.Add((operation.ReturnedOrder, true, operation));
        }

        events.Sort(static (left, right) => left.Order.CompareTo(right.Order));
        LogIndex highest = LogIndex.Zero;
        var floors = new Dictionary<int, LogIndex>();
        foreach ((_, bool returns, Operation operation) in events)
        {
            if (!returns)
            {
                floors.Add(operation.Id, highest);
                continue;
            }

            Require.That(operation.Index >= floors[operation.Id], $"P6: {operation} began after a call at {floors[operation.Id]} had returned");
            highest = LogIndex.Max(highest, operation.Index);
        }
    }

    private static void CheckReads(RunRecord record, JobId job, List<Operation> reads)
    {
        long version = 0;
        foreach (Operation read in reads)
        {
            // Every id that clients ask about was answered to somebody before.
            Require.That(read.Found is not null, $"P6: {read} found nothing");
            Require.That(read.Found.Version >= version, $"P8: {read} shows version {read.Found.Version} after {version}");
            version = read.Found.Version;
            Operation? ack = record.CallsByJob[job].Where(call => call.Kind == OperationKind.Ack && call.TookToken)
                .MinBy(call => call.Index);
            if (ack is not null)
            {
                // An ack whose answer was lost may have come first.
                bool succeeded = read.Found.State == JobState.Succeeded;
                bool mayBe = record.CallsByJob[job].Any(call => call.Kind == OperationKind.Ack && call.End == OperationEnd.Info);
                Require.That(read.Index >= ack.Index ? succeeded : !succeeded || mayBe, $"P6: {read} shows {read.Found.State}, {ack}");
            }

            // Between this grant and the read nothing but a call on the token or time may have ended the lease.
            Grant? grant = record.GrantsByJob[job].LastOrDefault(each => each.Index <= read.Index);
            if (grant is null) continue;
            Require.That(read.Found.Version > 1, $"P6: {read} does not show {grant}");
        }
    }
}
