using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>POST /v1/leases/ack|nack|extend|release|reschedule</c>.</summary>
internal static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServerContext server)
    {
        foreach (TokenVerb verb in Enum.GetValues<TokenVerb>())
        {
            string path = $"/v1/leases/{verb.ToString().ToLowerInvariant()}";
            routes.MapPost(path, Handling.Of(server, exchange => HandleAsync(exchange, verb)));
        }
    }

    private static async Task HandleAsync(Exchange exchange, TokenVerb verb)
    {
        Problem? problem = new QueryReading(exchange.Http.Request).End();
        problem ??= await exchange.ReceiveAsync(withPack: true, finishing: true).ConfigureAwait(false);
        IdempotencyKey? key = null;
        problem ??= exchange.TryReadKey(out key);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        using var request = new TokensRequest(exchange.Server.Limits, exchange.Scratch, verb, exchange.Server.Shards, key);
        problem = exchange.Parse(request);
        if (problem is not null)
        {
            await exchange.WriteAsync(problem).ConfigureAwait(false);
            return;
        }

        List<Task<CommandOutcome>> sent = Send(exchange.Node, request);
        exchange.ReleaseScratch();
        await Task.WhenAll(sent).ConfigureAwait(false);
        var results = new TokenResults(verb, request, [.. sent.Select(task => task.Result)]);
        if (results.Positions.Count > 0) exchange.SetIndexes(results.Positions);
        if (results.Whole is { } whole)
        {
            await exchange.WriteAsync(whole).ConfigureAwait(false);
            return;
        }

        if (results.IsReplay) exchange.SetReplayed();
        await exchange.WriteAsync(StatusCodes.Status200OK, results, static (reply, all) => all.TryWrite(reply)).ConfigureAwait(false);
    }

    /// <summary>All shards at once; the bodies are copied before this returns.</summary>
    private static List<Task<CommandOutcome>> Send(Node node, TokensRequest request)
    {
        var sent = new List<Task<CommandOutcome>>(1);
        foreach ((Primitives.ShardId shard, ReadOnlyMemory<byte> body) in request.Commands())
            sent.Add(node.SubmitAsync(shard, request.Command, body.Span, finishing: true).AsTask());
        return sent;
    }
}
