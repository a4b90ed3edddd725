using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Observability;

namespace RaftQueue.Server.Endpoints;

/// <summary>What holds for every request, whatever its address: foreign origins, unknown addresses, what was not foreseen.</summary>
internal static class Conventions
{
    public static void Use(IApplicationBuilder app, ServerContext server) => app.Use(next => http => RunAsync(http, next, server));

    private static async Task RunAsync(HttpContext http, RequestDelegate next, ServerContext server)
    {
        server.Enter();
        try
        {
            if (IsForeign(http.Request))
            {
                await Replying.WriteProblemAsync(http, server, Foreign).ConfigureAwait(false);
                return;
            }

            await next(http).ConfigureAwait(false);
            if (!http.Response.HasStarted && Unserved(http) is { } problem)
                await Replying.WriteProblemAsync(http, server, problem).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await AnswerAsync(http, server, exception).ConfigureAwait(false);
        }
        finally
        {
            server.Leave();
        }
    }

    private static Problem Foreign => new(ProblemCode.Forbidden, "The Origin header names another site; requests of web pages must come from this one.");

    /// <summary>The page that sends a request is not served by the host that it asks.</summary>
    private static bool IsForeign(HttpRequest request)
    {
        if (request.Headers.Origin.Count == 0) return false;
        return !Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out Uri? origin)
            || origin.Scheme is not ("http" or "https")
            || !string.Equals(Authority(origin), request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    private static string Authority(Uri origin) => origin.IsDefaultPort ? origin.Host : origin.Authority;

    private static Problem? Unserved(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => new Problem(ProblemCode.NotFound, $"There is nothing at {http.Request.Path}."),
        StatusCodes.Status405MethodNotAllowed => new Problem(
            ProblemCode.MethodNotAllowed, $"{http.Request.Path} takes {http.Response.Headers.Allow}, not {http.Request.Method}."),
        _ => null,
    };

    private static async Task AnswerAsync(HttpContext http, ServerContext server, Exception exception)
    {
        if (http.RequestAborted.IsCancellationRequested || exception is ConnectionResetException)
        {
            // The client left; there is nobody to tell.
            ServerLog.ClientLeft(server.Logger, http.Request.Path);
            return;
        }

        Problem problem;
        if (exception is BadHttpRequestException bad)
        {
            problem = BadRequest(bad);
            http.Response.Headers.Connection = "close";
        }
        else
        {
            ServerLog.RequestFailed(server.Logger, exception, http.Request.Method, http.Request.Path);
            problem = new Problem(ProblemCode.Internal, "This is a bug; the node's log says more. Look before repeating the request.");
        }

        if (http.Response.HasStarted) http.Abort();
        else await Replying.WriteProblemAsync(http, server, problem).ConfigureAwait(false);
    }

    /// <summary>What the HTTP server itself found wrong while the body came in.</summary>
    private static Problem BadRequest(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new Problem(ProblemCode.PayloadTooLarge, "The body is too large; split the batch."),
        StatusCodes.Status408RequestTimeout => Problem.Invalid("The body came too slowly and was given up."),
        _ => Problem.Invalid($"The request is not proper HTTP: {exception.Message}"),
    };
}
