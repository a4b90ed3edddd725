using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>P9: an idempotency key, and any call that was sent once, made one job.</summary>
public static class IdempotencyChecker
{
    public static void Check(RunRecord record)
    {
        var enqueues = record.History.Operations.Where(operation => operation.Kind == OperationKind.Enqueue);
        foreach (IGrouping<string, Operation> key in enqueues.Where(enqueue => enqueue.IdempotencyKey is not null).GroupBy(enqueue => enqueue.IdempotencyKey!, StringComparer.Ordinal))
        {
            List<JobId> answered = [.. key.Where(enqueue => enqueue.IsOk).Select(enqueue => enqueue.Job!.Value).Distinct()];
            Require.That(answered.Count <= 1, $"P9: key {key.Key} was answered with jobs {string.Join(' ', answered)}");
            int first = key.Count(enqueue => enqueue.IsOk && !enqueue.Replayed);
            Require.That(first <= 1, $"P9: key {key.Key} was new to {first} calls");
        }

        foreach (IGrouping<string, KeyValuePair<JobId, JobSnapshot?>> payload in record.FinalJobs
            .Where(pair => pair.Value is not null)
            .GroupBy(pair => pair.Value!.Payload, StringComparer.Ordinal))
        {
            Require.That(payload.Count() == 1, $"P9: {payload.Key} was enqueued once and is {string.Join(" and ", payload.Select(pair => pair.Key))}");
        }
    }
}
