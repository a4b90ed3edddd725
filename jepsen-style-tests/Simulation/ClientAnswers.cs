using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Notes in a call what its answer says.</summary>
internal static class ClientAnswers
{
    public static void Note(Operation operation, in CommandOutcome outcome)
    {
        operation.End = outcome.Kind switch
        {
            OutcomeKind.Applied => OperationEnd.Applied,
            OutcomeKind.NotApplied => OperationEnd.NotApplied,
            _ => OperationEnd.Info,
        };
        foreach (Operation row in operation.Rows) row.End = operation.End;
        if (outcome.Kind == OutcomeKind.NotApplied) operation.Refusal = outcome.Reason.ToString();
        else if (outcome.Kind == OutcomeKind.Applied && outcome.Code is not (ResultCode.Ok or ResultCode.Empty)) operation.Refusal = outcome.Code.ToString();
        if (outcome.Kind != OutcomeKind.Applied) return;
        operation.Code = outcome.Code;
        operation.Index = outcome.Index;
        operation.Shard = outcome.Shard;
        foreach (Operation row in operation.Rows) (row.Code, row.Index) = (outcome.Code, outcome.Index);
        if (outcome.Result.IsEmpty) return;
        Require.Readable(CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result));
        operation.Replayed = result.Replayed;
        foreach (Operation row in operation.Rows) row.Replayed = result.Replayed;
        operation.Answer = ResultText.Of(TypeOf(operation.Kind), operation.Jobs.Count == 1 && !operation.IsList, outcome.Result.Span);
        if (outcome.Code != ResultCode.Ok) return;
        MessagePackReader body = result.Body;
        switch (operation.Kind)
        {
            case OperationKind.Enqueue:
                NoteJobs(operation, ref body);
                break;
            case OperationKind.Lease:
                operation.Grants = Grants(outcome.Shard, body);
                break;
            case var _ when operation.Rows.Count > 0:
                NoteRows(operation, ref body);
                break;
            case OperationKind.Extend:
                Require.Readable(body.TryReadArrayHeader(out _));
                Require.Readable(ExtendRow.TryRead(ref body, out ExtendRow extended));
                operation.Status = extended.Status;
                operation.ExpiresAtMs = extended.ExpiresAtMs;
                break;
            case OperationKind.Cancel or OperationKind.PutQueue:
                break;
            default:
                Require.Readable(body.TryReadArrayHeader(out _));
                Require.Readable(TokenRow.TryRead(ref body, out TokenRow row));
                operation.Status = row.Status;
                break;
        }
    }

    public static void Note(Operation operation, in ReadOutcome outcome)
    {
        operation.End = outcome.Decided ? OperationEnd.Applied : OperationEnd.NotApplied;
        if (!outcome.Decided) operation.Refusal = "ReadUndecided";
        operation.Index = outcome.Index;
        operation.Answer = "";
        if (!outcome.Decided || !outcome.Found) return;
        if (operation.Kind == OperationKind.Read)
        {
            operation.Found = JobSnapshot.Read(outcome.Result.Span, out string whole);
            operation.Answer = whole;
            return;
        }

        var queues = new List<string>();
        var names = new List<string>();
        var reader = new MessagePackReader(outcome.Result.Span);
        while (!reader.IsAtEnd)
        {
            Require.Readable(QueueView.TryRead(ref reader, out QueueView view));
            queues.Add(Shots.Of(view));
            names.Add(Encoding.UTF8.GetString(view.Name));
        }

        operation.Names = names;

        operation.Answer = string.Join('\n', queues);
    }

    public static CommandType TypeOf(OperationKind kind) => kind switch
    {
        OperationKind.Enqueue => CommandType.Enqueue,
        OperationKind.Lease => CommandType.Lease,
        OperationKind.Ack => CommandType.Ack,
        OperationKind.Nack => CommandType.Nack,
        OperationKind.Extend => CommandType.Extend,
        OperationKind.Release => CommandType.Release,
        OperationKind.Reschedule => CommandType.Reschedule,
        OperationKind.Cancel => CommandType.Cancel,
        OperationKind.PutQueue => CommandType.PutQueue,
        _ => CommandType.None,
    };

    private static void NoteRows(Operation operation, ref MessagePackReader body)
    {
        Require.Readable(body.TryReadArrayHeader(out int count) && count == operation.Rows.Count);
        foreach (Operation row in operation.Rows)
        {
            if (operation.Kind == OperationKind.Extend)
            {
                Require.Readable(ExtendRow.TryRead(ref body, out ExtendRow extended));
                (row.Status, row.ExpiresAtMs) = (extended.Status, extended.ExpiresAtMs);
                continue;
            }

            Require.Readable(TokenRow.TryRead(ref body, out TokenRow token));
            row.Status = token.Status;
        }
    }

    private static void NoteJobs(Operation operation, ref MessagePackReader body)
    {
        if (operation.Jobs.Count == 1 && !operation.IsList)
        {
            Require.Readable(SingleEnqueueView.TryRead(ref body, out SingleEnqueueView one));
            Note(operation.Jobs[0], new JobId(one.Job.Sequence, operation.Shard, one.Job.Slot), one.Created, one.Replaced);
            return;
        }

        Require.Readable(body.TryReadArrayHeader(out int count) && count == operation.Jobs.Count);
        foreach (AskedJob asked in operation.Jobs)
        {
            Require.Readable(EnqueueRow.TryRead(ref body, out EnqueueRow row));
            Note(asked, new JobId(row.Sequence, operation.Shard, row.Slot), row.Created, row.Replaced);
        }
    }

    private static void Note(AskedJob asked, JobId job, bool created, bool? replaced)
    {
        asked.Job = job;
        asked.Created = created;
        asked.Replaced = replaced;
    }

    private static List<Grant> Grants(ShardId shard, MessagePackReader body)
    {
        var grants = new List<Grant>();
        Require.Readable(body.TryReadArrayHeader(out int count));
        for (int i = 0; i < count; i++)
        {
            Require.Readable(GrantView.TryRead(ref body, out GrantView grant));
            grants.Add(new Grant(
                new JobId(grant.Job.Sequence, shard, grant.Job.Slot),
                grant.Fence,
                Encoding.UTF8.GetString(grant.Job.Queue),
                Shots.PayloadText(grant.Job.PayloadKind, grant.Job.Payload),
                grant.Job.RunAtMs,
                grant.Job.Attempt,
                grant.Job.Version,
                grant.ExpiresAtMs,
                grant.RemainingMs));
        }

        return grants;
    }
}
