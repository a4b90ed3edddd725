using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>GET /v1/queues</c>: the queues of all shards by name. A cursor is the last name, encoded, and so good on any node.</summary>
internal static class QueueListing
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static async Task ListAsync(Exchange exchange)
    {
        var query = new QueryReading(exchange.Http.Request);
        int limit = (int)(query.Integer("limit", 1, MaxLimit) ?? DefaultLimit);
        byte[] after = ReadCursor(query);
        ReadConsistency consistency = query.Consistency();
        if (query.End() is { } wrong)
        {
            await exchange.WriteAsync(wrong).ConfigureAwait(false);
            return;
        }

        ReadOutcome[] reads = await ReadAsync(exchange, consistency, after, limit + 1).ConfigureAwait(false);
        int undecided = Array.FindIndex(reads, read => !read.Decided);
        if (undecided >= 0)
        {
            await exchange.WriteAsync(Outcomes.Undecided(reads[undecided])).ConfigureAwait(false);
            return;
        }

        exchange.SetIndexes(reads.Select(read => (read.Shard, read.Index)));
        var page = new Page(Merge(reads), limit, exchange.Server.Clock.WallUnixMs);
        await exchange.WriteAsync(StatusCodes.Status200OK, page, static (reply, rows) => TryWrite(reply, rows)).ConfigureAwait(false);
    }

    private static Task<ReadOutcome[]> ReadAsync(Exchange exchange, ReadConsistency consistency, byte[] after, int limit)
    {
        var reads = new List<Task<ReadOutcome>>();
        for (int shard = 0; shard < exchange.Server.Shards; shard++)
        {
            reads.Add(exchange.Node.ReadAsync(
                new ShardId((ushort)shard), consistency, (after, limit), static (store, argument, into) => Read(store, argument, into)).AsTask());
        }

        return Task.WhenAll(reads);
    }

    private static bool Read(JobStore store, (byte[] After, int Limit) argument, PooledBuffer into)
    {
        store.WriteQueues(argument.After, argument.Limit, new MessagePackWriter(into));
        return true;
    }

    private static List<(string Name, ReadOnlyMemory<byte> Row)> Merge(ReadOutcome[] reads)
    {
        var rows = new List<(string Name, ReadOnlyMemory<byte> Row)>();
        foreach (ReadOutcome read in reads)
        {
            int start = 0;
            while (start < read.Result.Length)
            {
                var reader = new MessagePackReader(read.Result.Span[start..]);
                Invariant.That(QueueView.TryRead(ref reader, out QueueView queue), "a queue in a listing can be read");
                rows.Add((Encoding.UTF8.GetString(queue.Name), read.Result.Slice(start, reader.Position)));
                start += reader.Position;
            }
        }

        rows.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        return rows;
    }

    private static bool TryWrite(ReplyWriter reply, Page page)
    {
        int count = Math.Min(page.Limit, page.Rows.Count);
        reply.BeginObject();
        reply.Name(Words.Queues);
        reply.BeginArray();
        for (int i = 0; i < count; i++)
        {
            var body = new MessagePackReader(page.Rows[i].Row.Span);
            if (!QueueReplies.TryWriteQueue(reply, ref body, page.NowMs)) return false;
        }

        reply.EndArray();
        if (page.Rows.Count > count)
        {
            reply.Name(Words.Next);
            reply.Value(Base64Url.EncodeToString(Encoding.UTF8.GetBytes(page.Rows[count - 1].Name)));
        }

        reply.EndObject();
        return true;
    }

    private static byte[] ReadCursor(QueryReading query)
    {
        if (query.Text("cursor") is not { } text) return [];
        byte[] room = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        // The form with a status: TryDecodeFromChars throws on text that is not base64url.
        OperationStatus status = Base64Url.DecodeFromChars(text, room, out _, out int length);
        if (status == OperationStatus.Done && QueueName.IsValid(room.AsSpan(0, length))) return room[..length];
        query.Errors.AddAt("?cursor", "Is not a cursor that this list gave out.");
        return [];
    }

    private sealed record Page(List<(string Name, ReadOnlyMemory<byte> Row)> Rows, int Limit, long NowMs);
}
