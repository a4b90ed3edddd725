using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>GET /v1/queues</c> and <c>GET|PUT|PATCH /v1/queues/{queue}</c>.</summary>
internal static class QueueEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServerContext server)
    {
        routes.MapLook("/v1/queues", Handling.Of(server, QueueListing.ListAsync));
        routes.MapLook("/v1/queues/{queue}", Handling.Of(server, GetAsync));
        routes.MapPut("/v1/queues/{queue}", Handling.Of(server, exchange => SetAsync(exchange, replaceAll: true)));
        routes.MapPatch("/v1/queues/{queue}", Handling.Of(server, exchange => SetAsync(exchange, replaceAll: false)));
    }

    private static async Task GetAsync(Exchange exchange)
    {
        var query = new QueryReading(exchange.Http.Request);
        ReadConsistency consistency = query.Consistency();
        Problem? problem = query.End();
        byte[] queue = [];
        problem ??= exchange.TryReadQueue(out queue) is null ? null : Outcomes.Refused(ResultCode.QueueNotFound);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        ShardId shard = QueueName.ShardOf(queue, exchange.Server.Shards);
        ReadOutcome read = await exchange.Node.ReadAsync(shard, consistency, queue, static (store, name, into) =>
            store.TryWriteQueue(name, new MessagePackWriter(into))).ConfigureAwait(false);
        await AnswerAsync(exchange, read).ConfigureAwait(false);
    }

    private static Task AnswerAsync(Exchange exchange, ReadOutcome read)
    {
        if (!read.Decided) return exchange.WriteAsync(Outcomes.Undecided(read));
        exchange.SetIndex(read.Shard, read.Index);
        if (!read.Found) return exchange.WriteAsync(Outcomes.Refused(ResultCode.QueueNotFound)!);
        long now = exchange.Server.Clock.WallUnixMs;
        return exchange.WriteAsync(StatusCodes.Status200OK, (read, now), static (reply, found) =>
        {
            var body = new MessagePackReader(found.read.Result.Span);
            return QueueReplies.TryWriteQueue(reply, ref body, found.now);
        });
    }

    private static async Task SetAsync(Exchange exchange, bool replaceAll)
    {
        Problem? problem = exchange.TryReadQueue(out byte[] queue) ?? new QueryReading(exchange.Http.Request).End();
        problem ??= await exchange.ReceiveAsync(withPack: false, finishing: false).ConfigureAwait(false);
        problem ??= exchange.Parse(new QueueSettingsRequest(exchange.Server.Limits, exchange.Scratch, queue, replaceAll));
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        ShardId shard = QueueName.ShardOf(queue, exchange.Server.Shards);
        ValueTask<CommandOutcome> sent =
            exchange.Node.SubmitAsync(shard, CommandType.PutQueue, exchange.Scratch.Command.WrittenSpan, finishing: false);
        exchange.ReleaseScratch();
        await AnswerSetAsync(exchange, await sent.ConfigureAwait(false), replaceAll).ConfigureAwait(false);
    }

    private static Task AnswerSetAsync(Exchange exchange, CommandOutcome outcome, bool replaceAll)
    {
        if (Exchange.Undecided(outcome) is { } undecided) return exchange.WriteAsync(undecided);
        JobEndpoints.MarkDecided(exchange, outcome);
        if (Outcomes.Refused(outcome.Code) is { } refused) return exchange.WriteAsync(refused);
        int status = replaceAll && IsCreated(outcome) ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        long now = exchange.Server.Clock.WallUnixMs;
        return exchange.WriteAsync(status, (outcome, now), static (reply, done) =>
            TryOpen(done.outcome, out MessagePackReader body, out _) && QueueReplies.TryWriteQueue(reply, ref body, done.now));
    }

    private static bool IsCreated(CommandOutcome outcome) => TryOpen(outcome, out _, out bool created) && created;

    /// <summary>Goes to the queue in the result of a PutQueue, <c>[ created, queue ]</c>.</summary>
    private static bool TryOpen(CommandOutcome outcome, out MessagePackReader body, out bool created)
    {
        created = false;
        bool known = CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result);
        body = result.Body;
        return known && body.TryReadArrayHeader(out int count) && count >= 2 && body.TryReadBool(out created);
    }
}
