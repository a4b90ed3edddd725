using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P1: no acknowledged enqueue is lost, nothing comes from nowhere, and what was refused never happens: lost = accepted − (finished,
/// as far as any call can have finished it ∪ stored), unexpected = seen − asked for, on every node. O(n).
/// </summary>
public static class LossChecker
{
    public static void Check(RunRecord record)
    {
        ILookup<string, Operation> byPayload = record.History.Operations
            .SelectMany(operation => operation.Jobs.Select(job => (job.Payload, operation))
                .Concat(operation.NewPayload is { } payload ? [(payload, operation)] : []))
            .ToLookup(pair => pair.Item1, pair => pair.operation, StringComparer.Ordinal);
        foreach ((Operation call, Grant grant) in record.History.Grants) CheckAsked(byPayload, grant.Payload, $"{call} was granted {grant}");
        foreach (Operation read in record.History.Ok(OperationKind.Read))
        {
            if (read.Found is { Payload.Length: > 0 } found) CheckAsked(byPayload, found.Payload, $"{read} saw {found.Payload}");
        }

        foreach ((int node, IReadOnlyDictionary<JobId, JobSnapshot> jobs) in record.FinalJobs) CheckNode(record, byPayload, node, jobs);
        record.Truth?.RequireSame("P1");
    }

    private static void CheckNode(
        RunRecord record, ILookup<string, Operation> byPayload, int node, IReadOnlyDictionary<JobId, JobSnapshot> jobs)
    {
        foreach (Operation enqueue in record.History.Ok(OperationKind.Enqueue))
        {
            foreach (AskedJob asked in enqueue.Jobs)
            {
                if (!asked.Created || asked.Job is not { } id) continue;
                if (!jobs.TryGetValue(id.Key(), out JobSnapshot? job))
                {
                    // Nobody could ask for a job that only the log names; that the states are the log's is P10.
                    if (enqueue.FoundInLog) continue;
                    Require.That(MayBeForgotten(record, id), $"P1: node {node} lost job {id} of {enqueue}");
                    continue;
                }

                bool changed = job.Payload.Length > 0 && job.Payload != asked.Payload && !MayBeChanged(record, byPayload, enqueue, id, job.Payload);
                Require.That(!changed, $"P1: on node {node} job {id} of {enqueue} holds {job.Payload}");
            }
        }

        foreach ((JobId id, JobSnapshot job) in jobs)
        {
            if (job.Payload.Length > 0) CheckAsked(byPayload, job.Payload, $"node {node} has job {id}");
            OperationKind? needs = job.State switch
            {
                JobState.Succeeded => OperationKind.Ack,
                JobState.Cancelled => OperationKind.Cancel,
                _ => null,
            };
            bool wanted = needs is null || record.CallsByJob[id.Key()].Any(call => call.Kind == needs && (call.IsOk || call.IsOpen));
            Require.That(wanted, $"P1: job {id} is {job.State} on node {node} though nobody asked for it");
        }
    }

    /// <summary>Somebody asked for this payload and was not told that it is refused.</summary>
    private static void CheckAsked(ILookup<string, Operation> byPayload, string payload, string seen)
    {
        bool asked = false;
        foreach (Operation call in byPayload[payload])
        {
            asked = true;
            if (call.IsOk || call.IsOpen) return;
        }

        Require.That(!asked, $"P1: {seen}, though refused: {byPayload[payload].FirstOrDefault()}");
        Require.That(asked, $"P1: {seen}, which nobody asked for");
    }

    /// <summary>Finished jobs are not kept for ever: the log says whether it was, or some call can have finished it.</summary>
    private static bool MayBeForgotten(RunRecord record, JobId id)
    {
        if (record.Truth is { } truth) return truth.Shards[id.Shard.Value].Find(id) is null;
        return record.CallsByJob[id.Key()].Any(call => (call.IsOk || call.IsOpen)
            && (call.Kind is OperationKind.Ack or OperationKind.Nack or OperationKind.Cancel || call.Found is { IsFinished: true }));
    }

    private static bool MayBeChanged(
        RunRecord record, ILookup<string, Operation> byPayload, Operation enqueue, JobId id, string payload) =>
        byPayload[payload].Any(call => (call.IsOk || call.IsOpen) && call.Kind switch
        {
            OperationKind.Enqueue => call.Queue == enqueue.Queue,
            _ => call.Job?.Key() == id.Key(),
        });
}
