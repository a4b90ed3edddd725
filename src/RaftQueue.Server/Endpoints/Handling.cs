using Microsoft.AspNetCore.Http;

namespace RaftQueue.Server.Endpoints;

/// <summary>Makes a handler of an exchange one of a request.</summary>
internal static class Handling
{
    public static RequestDelegate Of(ServerContext server, Func<Exchange, Task> handler) => async http =>
    {
        using var exchange = new Exchange(http, server);
        await handler(exchange).ConfigureAwait(false);
    };
}
