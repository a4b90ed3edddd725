using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>P4: while a job holds a unique key no other job with it is created; a "duplicate" answer names a job with that key.</summary>
public static class UniqueChecker
{
    public static void Check(RunRecord record)
    {
        var enqueues = record.History.Ok(OperationKind.Enqueue).Where(enqueue => enqueue.UniqueKey is not null);
        foreach (IGrouping<(string, string), Operation> key in enqueues.GroupBy(enqueue => (enqueue.Queue, enqueue.UniqueKey!)))
        {
            List<Operation> created = [.. key.Where(enqueue => enqueue.Created).OrderBy(enqueue => enqueue.Index)];
            for (int i = 1; i < created.Count; i++)
            {
                JobSnapshot? holder = record.FinalJobs[created[i - 1].Job!.Value];
                long stamp = record.StampOf(created[i].Job!.Value, created[i].Index);
                Require.That(
                    holder is { FinishedAtMs: { } finished } && finished <= stamp,
                    $"P4: {created[i]} at {stamp} while {created[i - 1]} holds the key until {holder?.FinishedAtMs}");
            }

            foreach (Operation duplicate in key.Where(enqueue => !enqueue.Created)) CheckHolder(record, duplicate);
        }
    }

    private static void CheckHolder(RunRecord record, Operation duplicate)
    {
        JobSnapshot? holder = record.FinalJobs[duplicate.Job!.Value];
        Require.That(holder is not null, $"P4: {duplicate} names a job that does not exist");
        LogIndex at = duplicate.Index;
        bool known = record.History.Operations.Any(other => other.Kind == OperationKind.Enqueue && other.Payload == holder.Payload
            && other.Queue == duplicate.Queue && other.UniqueKey == duplicate.UniqueKey);
        Require.That(known, $"P4: {duplicate} at {at} names a job with another key: {holder.Payload}");
        long stamp = record.StampOf(duplicate.Job.Value, at);
        Require.That(holder.FinishedAtMs is not { } finished || finished >= stamp, $"P4: {duplicate} names a job that was finished");
    }
}
