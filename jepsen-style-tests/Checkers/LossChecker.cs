using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>P1: no acknowledged enqueue is lost, nothing comes from nowhere, and what was refused never happens.</summary>
public static class LossChecker
{
    public static void Check(RunRecord record)
    {
        List<Operation> enqueues = [.. record.History.Operations.Where(operation => operation.Kind == OperationKind.Enqueue)];
        foreach (Operation enqueue in enqueues)
        {
            if (!enqueue.IsOk || !enqueue.Created) continue;
            JobSnapshot? job = record.FinalJobs[enqueue.Job!.Value];
            Require.That(job is not null, $"P1: an acknowledged job is lost: {enqueue}");
            Require.That(job.Payload == enqueue.Payload, $"P1: the job of {enqueue} holds {job.Payload}");
        }

        foreach ((JobId id, JobSnapshot? job) in record.FinalJobs)
        {
            if (job is null) continue;
            List<Operation> attempts = enqueues.FindAll(enqueue => enqueue.Payload == job.Payload);
            Require.That(attempts.Count > 0, $"P1: job {id} with payload {job.Payload} was never asked for");
            Require.That(
                attempts.Exists(attempt => attempt.End != OperationEnd.NotApplied), $"P1: job {id} exists though refused: {attempts[0]}");
            Operation? conflict = attempts.Find(attempt => attempt.End == OperationEnd.Applied && attempt.Code != ResultCode.Ok);
            Require.That(conflict is null, $"P1: job {id} exists though refused: {conflict}");
            CheckEnd(record, id, job);
        }

        CheckTotals(record, enqueues);
    }

    /// <summary>After the drain every job is finished, and only as somebody asked for.</summary>
    private static void CheckEnd(RunRecord record, JobId id, JobSnapshot job)
    {
        Require.That(job.IsFinished, $"P11: job {id} is still {job.State} after the drain");
        OperationKind? needs = job.State switch
        {
            JobState.Succeeded => OperationKind.Ack,
            JobState.Cancelled => OperationKind.Cancel,
            _ => null,
        };
        if (needs is null) return;
        Require.That(
            record.CallsByJob[id].Any(call => call.Kind == needs && call.End != OperationEnd.NotApplied),
            $"P1: job {id} is {job.State} though nobody asked for it");
    }

    private static void CheckTotals(RunRecord record, List<Operation> enqueues)
    {
        foreach ((string queue, long total) in record.EnqueuedTotals)
        {
            long created = enqueues.FindAll(enqueue => enqueue.Queue == queue && enqueue.IsOk && enqueue.Created && !enqueue.Replayed).Count;
            long open = enqueues.FindAll(enqueue => enqueue.Queue == queue && enqueue.End == OperationEnd.Info).Count;
            Require.That(
                total >= created && total <= created + open,
                $"P1: queue {queue} counts {total} enqueued jobs, {created} were acknowledged and {open} are open");
        }
    }
}
