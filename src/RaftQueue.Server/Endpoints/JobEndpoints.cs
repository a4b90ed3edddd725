using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>POST /v1/queues/{queue}/jobs</c>, <c>GET</c> and <c>DELETE /v1/jobs/{id}</c>.</summary>
internal static class JobEndpoints
{
    private const int TraceParentLength = 55;

    public static void Map(IEndpointRouteBuilder routes, ServerContext server)
    {
        routes.MapPost("/v1/queues/{queue}/jobs", Handling.Of(server, EnqueueAsync));
        routes.MapLook("/v1/jobs/{id}", Handling.Of(server, GetAsync));
        routes.MapDelete("/v1/jobs/{id}", Handling.Of(server, CancelAsync));
    }

    private static async Task EnqueueAsync(Exchange exchange)
    {
        Problem? problem = exchange.TryReadQueue(out byte[] queue) ?? new QueryReading(exchange.Http.Request).End();
        problem ??= await exchange.ReceiveAsync(withPack: true, finishing: false).ConfigureAwait(false);
        IdempotencyKey? key = null;
        problem ??= exchange.TryReadKey(out key);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        var request = new EnqueueRequest(exchange.Server.Limits, exchange.Scratch, queue, key, TraceParent(exchange.Http.Request));
        problem = exchange.Parse(request);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        ShardId shard = QueueName.ShardOf(queue, exchange.Server.Shards);
        ValueTask<CommandOutcome> sent =
            exchange.Node.SubmitAsync(shard, CommandType.Enqueue, exchange.Scratch.Command.WrittenSpan, finishing: false);
        exchange.ReleaseScratch();
        await AnswerEnqueueAsync(exchange, request.IsSingle, await sent.ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static Task AnswerEnqueueAsync(Exchange exchange, bool isSingle, CommandOutcome outcome)
    {
        if (Exchange.Undecided(outcome) is { } undecided) return exchange.WriteAsync(undecided);
        MarkDecided(exchange, outcome);
        if (Refusal(outcome, isSingle) is { } refused) return exchange.WriteAsync(refused);
        return WriteEnqueuedAsync(exchange, isSingle, outcome);
    }

    private static async Task WriteEnqueuedAsync(Exchange exchange, bool isSingle, CommandOutcome outcome)
    {
        ReplyWriter reply = exchange.Server.Replies.Rent();
        try
        {
            reply.Start(exchange.ReplyFormat);
            bool created = WriteEnqueued(reply, isSingle, outcome, out JobId id);
            reply.Finish();
            if (isSingle && created) exchange.Http.Response.Headers.Location = $"/v1/jobs/{id}";
            int status = created ? StatusCodes.Status201Created : StatusCodes.Status200OK;
            await Replying.WriteAsync(exchange.Http, status, reply).ConfigureAwait(false);
        }
        finally
        {
            exchange.Server.Replies.Return(reply);
        }
    }

    private static bool WriteEnqueued(ReplyWriter reply, bool isSingle, CommandOutcome outcome, out JobId id)
    {
        id = default;
        bool created = false;
        bool whole = CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result)
            && (isSingle
                ? JobReplies.TryWriteSingle(reply, outcome.Shard, ref result.Body, out id, out created)
                : JobReplies.TryWriteBatch(reply, outcome.Shard, ref result.Body, out created));
        Invariant.That(whole, "the result of an enqueue can be read");
        return created;
    }

    /// <summary>A refused enqueue, with the job that is in the way of each that it refuses.</summary>
    private static Problem? Refusal(CommandOutcome outcome, bool isSingle)
    {
        Problem? refused = Outcomes.Refused(outcome.Code);
        if (refused is null || outcome.Code != ResultCode.UniqueConflict) return refused;
        if (!CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result)) return refused;
        if (!result.Body.TryReadArrayHeader(out int count)) return refused;
        var errors = new List<RequestError>();
        for (int i = 0; i < count && RefusalRow.TryRead(ref result.Body, out RefusalRow row); i++)
        {
            if (errors.Count == RequestLimits.MaxErrors) break;
            string? holder = row is { HolderSequence: { } sequence, HolderSlot: { } slot }
                ? new JobId(sequence, outcome.Shard, slot).ToString()
                : null;
            string pointer = isSingle ? "/unique" : string.Create(CultureInfo.InvariantCulture, $"/jobs/{row.JobIndex}/unique");
            string detail = holder is null ? "An earlier job of this batch holds the key." : $"Job {holder} holds the key.";
            errors.Add(new RequestError(pointer, detail, holder));
        }

        return refused with { Errors = errors, JobId = errors.FirstOrDefault(error => error.JobId is not null)?.JobId };
    }

    private static async Task GetAsync(Exchange exchange)
    {
        var query = new QueryReading(exchange.Http.Request);
        long waitMs = query.Integer("waitMs", 0, exchange.Server.Limits.WaitMs) ?? 0;
        ReadConsistency consistency = query.Consistency();
        if (query.End() is { } wrong)
        {
            await exchange.WriteAsync(wrong).ConfigureAwait(false);
            return;
        }

        if (!TryReadId(exchange, out JobId id))
        {
            await exchange.WriteAsync(Outcomes.Refused(ResultCode.JobNotFound)!).ConfigureAwait(false);
            return;
        }

        ReadOutcome? read = await ReadAsync(exchange, id, waitMs, consistency).ConfigureAwait(false);
        if (read is null)
        {
            await exchange.WriteAsync(Outcomes.NotApplied(NotAppliedReason.Overloaded)).ConfigureAwait(false);
            return;
        }

        await AnswerReadAsync(exchange, read.Value).ConfigureAwait(false);
    }

    private static Task AnswerReadAsync(Exchange exchange, ReadOutcome read)
    {
        if (!read.Decided) return exchange.WriteAsync(Outcomes.Undecided(read));
        exchange.SetIndex(read.Shard, read.Index);
        if (!read.Found) return exchange.WriteAsync(Outcomes.Refused(ResultCode.JobNotFound)!);
        return exchange.WriteAsync(StatusCodes.Status200OK, read, static (reply, found) =>
        {
            var body = new MessagePackReader(found.Result.Span);
            return JobReplies.TryWriteJob(reply, found.Shard, ref body);
        });
    }

    /// <summary>Null: as many reads wait as may.</summary>
    private static async ValueTask<ReadOutcome?> ReadAsync(Exchange exchange, JobId id, long waitMs, ReadConsistency consistency)
    {
        if (waitMs == 0) return await exchange.Node.ReadJobAsync(id, true, 0, consistency).ConfigureAwait(false);
        if (!exchange.Server.JobWaits.TryEnter()) return null;
        Task<ReadOutcome> held = HeldAsync(exchange.Server, exchange.Node.ReadJobAsync(id, true, waitMs, consistency));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(exchange.Http.RequestAborted, exchange.Server.Stopping);
        Task ended = Task.Delay(Timeout.Infinite, stop.Token);
        if (await Task.WhenAny(held, ended).ConfigureAwait(false) == held)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            return await held.ConfigureAwait(false);
        }

        exchange.Http.RequestAborted.ThrowIfCancellationRequested();
        return await exchange.Node.ReadJobAsync(id, true, 0, consistency).ConfigureAwait(false);
    }

    private static async Task<ReadOutcome> HeldAsync(ServerContext server, ValueTask<ReadOutcome> read)
    {
        try
        {
            return await read.ConfigureAwait(false);
        }
        finally
        {
            server.JobWaits.Leave();
        }
    }

    private static async Task CancelAsync(Exchange exchange)
    {
        Problem? problem = new QueryReading(exchange.Http.Request).End();
        long? version = null;
        problem ??= TryReadVersion(exchange.Http.Request, out version);
        if (problem is null && !TryReadId(exchange, out _)) problem = Outcomes.Refused(ResultCode.JobNotFound);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        TryReadId(exchange, out JobId id);
        CommandOutcome outcome = await SendCancel(exchange, id, version).ConfigureAwait(false);
        await AnswerCancelAsync(exchange, outcome).ConfigureAwait(false);
    }

    private static ValueTask<CommandOutcome> SendCancel(Exchange exchange, JobId id, long? version)
    {
        PooledBuffer command = exchange.Scratch.Command;
        CancelCommand.Write(new MessagePackWriter(command), default, id, version);
        ValueTask<CommandOutcome> sent = exchange.Node.SubmitAsync(id.Shard, CommandType.Cancel, command.WrittenSpan, finishing: true);
        exchange.ReleaseScratch();
        return sent;
    }

    private static Task AnswerCancelAsync(Exchange exchange, CommandOutcome outcome)
    {
        if (Exchange.Undecided(outcome) is { } undecided) return exchange.WriteAsync(undecided);
        MarkDecided(exchange, outcome);
        if (Outcomes.Refused(outcome.Code) is { } refused) return exchange.WriteAsync(refused);
        return exchange.WriteAsync(StatusCodes.Status200OK, outcome, static (reply, done) =>
            CommandResultReader.TryRead(done.Result.Span, out CommandResultReader result)
            && JobReplies.TryWriteJob(reply, done.Shard, ref result.Body));
    }

    /// <summary>The headers of a reply to a command that was decided.</summary>
    internal static void MarkDecided(Exchange exchange, CommandOutcome outcome)
    {
        bool known = CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result);
        bool isReplay = known && result.Replayed;
        exchange.SetIndex(outcome.Shard, isReplay ? result.Index : outcome.Index);
        if (isReplay) exchange.SetReplayed();
    }

    private static bool TryReadId(Exchange exchange, out JobId id)
    {
        byte[] text = Encoding.UTF8.GetBytes(exchange.Http.Request.RouteValues["id"] as string ?? "");
        return JobId.TryParse(text, out id) && id.Shard.Value < exchange.Server.Shards;
    }

    /// <summary><c>If-Match</c>: a job's version, with or without quotes.</summary>
    private static Problem? TryReadVersion(HttpRequest request, out long? version)
    {
        version = null;
        if (request.Headers.IfMatch.Count == 0) return null;
        string text = request.Headers.IfMatch.ToString();
        if (text is "*") return null;
        if (!long.TryParse(text.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return Problem.Invalid("If-Match must be one version of the job, as the job shows it.");
        version = number;
        return null;
    }

    /// <summary>The request's trace context (W3C), or empty when it has none that is well formed.</summary>
    private static ReadOnlyMemory<byte> TraceParent(HttpRequest request)
    {
        string? text = request.Headers.TraceParent;
        if (text is not { Length: TraceParentLength } || text[2] != '-' || text[35] != '-' || text[52] != '-') return default;
        return text.All(c => c is '-' or (>= '0' and <= '9') or (>= 'a' and <= 'f')) ? Encoding.ASCII.GetBytes(text) : default;
    }
}
