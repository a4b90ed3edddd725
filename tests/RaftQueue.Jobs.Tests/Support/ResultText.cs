using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>Encoded results as text that a model can write as well.</summary>
public static class ResultText
{
    public static string Of(CommandType type, bool single, ReadOnlySpan<byte> encoded, List<JobId>? ids = null, List<LeaseToken>? tokens = null)
    {
        Assert.True(CommandResultReader.TryRead(encoded, out CommandResultReader result));
        string head = Head(result.Code, result.Replayed, result.Index.Value);
        MessagePackReader body = result.Body;
        var rows = new List<string>();
        if (body.TryReadNil())
        {
            Assert.True(body.IsAtEnd);
            return head;
        }

        if (type == CommandType.Cancel || (type == CommandType.Enqueue && single && result.Code == ResultCode.Ok))
        {
            rows.Add(One(type, ref body, ids));
        }
        else if (type == CommandType.PutQueue)
        {
            Assert.True(body.TryReadArrayHeader(out int two));
            Assert.Equal(2, two);
            Assert.True(body.TryReadBool(out bool created));
            Assert.True(QueueView.TryRead(ref body, out QueueView queue));
            rows.Add($"{created} {Shots.Of(queue)}");
        }
        else
        {
            Assert.True(body.TryReadArrayHeader(out int count));
            for (int i = 0; i < count; i++) rows.Add(Row(type, result.Code, ref body, ids, tokens));
        }

        Assert.True(body.IsAtEnd);
        return head + string.Concat(rows.Select(row => "\n  " + row));
    }

    public static string Head(ResultCode code, bool replayed, long index) => $"{code}{(replayed ? " replayed" : "")} at {index}";

    public static string Enqueued(ulong sequence, JobState state, bool created, bool? replaced) =>
        $"{sequence} {state} {(created ? "created" : "duplicate")} replaced:{replaced}";

    private static string One(CommandType type, ref MessagePackReader body, List<JobId>? ids)
    {
        if (type == CommandType.Cancel)
        {
            Assert.True(JobView.TryRead(ref body, out JobView job));
            return Shots.Of(job).ToString();
        }

        Assert.True(SingleEnqueueView.TryRead(ref body, out SingleEnqueueView view));
        Assert.NotEqual(view.Created, view.Duplicate);
        ids?.Add(new JobId(view.Job.Sequence, new Primitives.ShardId(0), view.Job.Slot));
        return $"{Enqueued(view.Job.Sequence, view.Job.State, view.Created, view.Replaced)} {Shots.Of(view.Job)}";
    }

    private static string Row(CommandType type, ResultCode code, ref MessagePackReader body, List<JobId>? ids, List<LeaseToken>? tokens)
    {
        switch (type)
        {
            case CommandType.Enqueue when code == ResultCode.Ok:
                Assert.True(EnqueueRow.TryRead(ref body, out EnqueueRow row));
                Assert.NotEqual(row.Created, row.Duplicate);
                ids?.Add(new JobId(row.Sequence, new Primitives.ShardId(0), row.Slot));
                return Enqueued(row.Sequence, row.State, row.Created, row.Replaced);
            case CommandType.Enqueue:
                Assert.True(RefusalRow.TryRead(ref body, out RefusalRow refusal));
                return $"{refusal.JobIndex} {refusal.Code} {refusal.HolderSequence}";
            case CommandType.Lease:
                Assert.True(GrantView.TryRead(ref body, out GrantView grant));
                tokens?.Add(new LeaseToken(new JobId(grant.Job.Sequence, new Primitives.ShardId(0), grant.Job.Slot), grant.Fence));
                return $"{grant.Fence} {grant.ExpiresAtMs} {grant.RemainingMs} {Shots.Of(grant.Job)}";
            case CommandType.Extend:
                Assert.True(ExtendRow.TryRead(ref body, out ExtendRow extend));
                return extend.ToString();
            default:
                Assert.True(TokenRow.TryRead(ref body, out TokenRow token));
                return token.Status.ToString();
        }
    }
}
