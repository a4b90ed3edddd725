using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>POST /v1/leases</c>.</summary>
internal static class LeaseEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServerContext server) =>
        routes.MapPost("/v1/leases", Handling.Of(server, LeaseAsync));

    private static async Task LeaseAsync(Exchange exchange)
    {
        Problem? problem = new QueryReading(exchange.Http.Request).End();
        problem ??= await exchange.ReceiveAsync(withPack: true, finishing: false).ConfigureAwait(false);
        IdempotencyKey? key = null;
        problem ??= exchange.TryReadKey(out key);
        IReadOnlyList<LeaseSegment> segments = [];
        long waitMs = 0;
        problem ??= TryReadSegments(exchange, key, out segments, out waitMs);
        exchange.ReleaseScratch();
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        HttpContext http = exchange.Http;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, exchange.Server.Stopping);
        // What a keyed request was granted may be in the hands of its repeat already, on another connection:
        // it is not taken back because this connection is gone.
        CancellationToken gone = key is null ? over.Token : exchange.Server.Stopping;
        CommandOutcome outcome = await exchange.Node.LeaseAsync(segments, waitMs, gone).ConfigureAwait(false);
        bool isGranted = outcome is { Kind: OutcomeKind.Applied, Code: ResultCode.Ok };
        if (isGranted && key is null && gone.IsCancellationRequested)
        {
            // Not a byte was written and the node may have taken the grant back already: a second time does no harm.
            exchange.Node.Revoke(outcome.Shard, outcome.Result.Span);
            isGranted = false;
        }

        http.RequestAborted.ThrowIfCancellationRequested();
        if (isGranted) await WriteGrantsAsync(exchange, outcome).ConfigureAwait(false);
        else if (gone.IsCancellationRequested) await WriteNothingAsync(exchange).ConfigureAwait(false);
        else await AnswerWithoutGrantAsync(exchange, outcome).ConfigureAwait(false);
    }

    private static Problem? TryReadSegments(
        Exchange exchange, IdempotencyKey? key, out IReadOnlyList<LeaseSegment> segments, out long waitMs)
    {
        var request = new LeaseRequest(exchange.Server.Limits, exchange.Scratch);
        Problem? problem = exchange.Parse(request);
        waitMs = request.WaitMs;
        segments = [];
        if (problem is not null) return problem;
        segments = [.. request.Segments(exchange.Server.Shards, key).Select(part => new LeaseSegment(part.Shard, part.Body))];
        if (key is not null && segments.Select(segment => segment.Shard).Distinct().Count() > 1)
        {
            return Problem.Invalid(
                "/queues", "A lease request with an Idempotency-Key may name queues of one shard only; name fewer or leave the key out.");
        }

        return null;
    }

    private static Task WriteGrantsAsync(Exchange exchange, CommandOutcome outcome)
    {
        JobEndpoints.MarkDecided(exchange, outcome);
        return exchange.WriteAsync(StatusCodes.Status200OK, outcome, static (reply, granted) =>
            CommandResultReader.TryRead(granted.Result.Span, out CommandResultReader result)
            && JobReplies.TryWriteGrants(reply, granted.Shard, ref result.Body));
    }

    private static Task AnswerWithoutGrantAsync(Exchange exchange, CommandOutcome outcome)
    {
        if (Exchange.Undecided(outcome) is { } undecided) return exchange.WriteAsync(undecided);
        if (outcome.Index != LogIndex.Zero) JobEndpoints.MarkDecided(exchange, outcome);
        return Outcomes.Refused(outcome.Code) is { } refused ? exchange.WriteAsync(refused) : WriteNothingAsync(exchange);
    }

    private static Task WriteNothingAsync(Exchange exchange) =>
        exchange.WriteAsync(StatusCodes.Status200OK, 0, static (reply, _) =>
        {
            JobReplies.WriteNoGrants(reply);
            return true;
        });
}
