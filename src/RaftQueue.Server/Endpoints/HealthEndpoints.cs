using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>/healthz/live</c> and <c>/healthz/ready</c>; neither waits for anything.</summary>
internal static class HealthEndpoints
{
    private static readonly Word Live = new("live");
    private static readonly Word Ready = new("ready");

    public static void Map(IEndpointRouteBuilder routes, ServerContext server)
    {
        routes.MapLook("/healthz/live", Handling.Of(server, static exchange => WriteAsync(exchange, Live)));
        routes.MapLook("/healthz/ready", Handling.Of(server, static exchange => exchange.Node.IsReady && !exchange.Server.Stopping.IsCancellationRequested
            ? WriteAsync(exchange, Ready)
            : exchange.WriteAsync(new Problem(ProblemCode.NoLeader, "This node cannot serve every request now."))));
    }

    private static Task WriteAsync(Exchange exchange, Word status) => exchange.WriteAsync(StatusCodes.Status200OK, status, static (reply, word) =>
    {
        reply.BeginObject();
        reply.Name(Words.Status);
        reply.Value(word);
        reply.EndObject();
        return true;
    });
}
