using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers.Model;

/// <summary>Encoded results as text that a model can write as well.</summary>
public static class ResultText
{
    public static string Of(CommandType type, bool single, ReadOnlySpan<byte> encoded, List<JobId>? ids = null, List<LeaseToken>? tokens = null)
    {
        Require.Readable(CommandResultReader.TryRead(encoded, out CommandResultReader result));
        string head = Head(result.Code, result.Replayed, result.Index.Value);
        MessagePackReader body = result.Body;
        var rows = new List<string>();
        if (body.TryReadNil())
        {
            Require.Readable(body.IsAtEnd);
            return head;
        }

        if (type == CommandType.Cancel || (type == CommandType.Enqueue && single && result.Code == ResultCode.Ok))
        {
            rows.Add(One(type, ref body, ids));
        }
        else if (type == CommandType.PutQueue)
        {
            Require.Readable(body.TryReadArrayHeader(out int two));
            Require.Readable(two == 2);
            Require.Readable(body.TryReadBool(out bool created));
            Require.Readable(QueueView.TryRead(ref body, out QueueView queue));
            rows.Add($"{created} {Shots.Of(queue)}");
        }
        else
        {
            Require.Readable(body.TryReadArrayHeader(out int count));
            for (int i = 0; i < count; i++) rows.Add(Row(type, result.Code, ref body, ids, tokens));
        }

        Require.Readable(body.IsAtEnd);
        return head + string.Concat(rows.Select(row => "\n  " + row));
    }

    public static string Head(ResultCode code, bool replayed, long index) => $"{code}{(replayed ? " replayed" : "")} at {index}";

    public static string Enqueued(ulong sequence, JobState state, bool created, bool? replaced) =>
        $"{sequence} {state} {(created ? "created" : "duplicate")} replaced:{replaced}";

    private static string One(CommandType type, ref MessagePackReader body, List<JobId>? ids)
    {
        if (type == CommandType.Cancel)
        {
            Require.Readable(JobView.TryRead(ref body, out JobView job));
            return Shots.Of(job).ToString();
        }

        Require.Readable(SingleEnqueueView.TryRead(ref body, out SingleEnqueueView view));
        Require.Readable(view.Created != view.Duplicate);
        ids?.Add(new JobId(view.Job.Sequence, new Primitives.ShardId(0), view.Job.Slot));
        return $"{Enqueued(view.Job.Sequence, view.Job.State, view.Created, view.Replaced)} {Shots.Of(view.Job)}";
    }

    private static string Row(CommandType type, ResultCode code, ref MessagePackReader body, List<JobId>? ids, List<LeaseToken>? tokens)
    {
        switch (type)
        {
            case CommandType.Enqueue when code == ResultCode.Ok:
                Require.Readable(EnqueueRow.TryRead(ref body, out EnqueueRow row));
                Require.Readable(row.Created != row.Duplicate);
                ids?.Add(new JobId(row.Sequence, new Primitives.ShardId(0), row.Slot));
                return Enqueued(row.Sequence, row.State, row.Created, row.Replaced);
            case CommandType.Enqueue:
                Require.Readable(RefusalRow.TryRead(ref body, out RefusalRow refusal));
                return $"{refusal.JobIndex} {refusal.Code} {refusal.HolderSequence}";
            case CommandType.Lease:
                Require.Readable(GrantView.TryRead(ref body, out GrantView grant));
                tokens?.Add(new LeaseToken(new JobId(grant.Job.Sequence, new Primitives.ShardId(0), grant.Job.Slot), grant.Fence));
                return $"{grant.Fence} {grant.ExpiresAtMs} {grant.RemainingMs} {Shots.Of(grant.Job)}";
            case CommandType.Extend:
                Require.Readable(ExtendRow.TryRead(ref body, out ExtendRow extend));
                return extend.ToString();
            default:
                Require.Readable(TokenRow.TryRead(ref body, out TokenRow token));
                return token.Status.ToString();
        }
    }
}
