using System.Globalization;
using Microsoft.AspNetCore.Http;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>Puts replies on the wire.</summary>
internal static class Replying
{
    /// <summary>Status, head and body in one go. The reply's buffer may be reused when this is done.</summary>
    public static async Task WriteAsync(HttpContext http, int status, ReplyWriter reply)
    {
        HttpResponse response = http.Response;
        response.StatusCode = status;
        response.ContentType = reply.Format == BodyFormat.Json ? MediaTypes.Json : MediaTypes.MessagePack;
        response.ContentLength = reply.Written.Length;
        await response.BodyWriter.WriteAsync(reply.Written, http.RequestAborted).ConfigureAwait(false);
    }

    public static async Task WriteProblemAsync(HttpContext http, ServerContext server, Problem problem)
    {
        if (problem.Code.IsRetryable() && problem.RetryAfterMs is null) problem = problem with { RetryAfterMs = 1000 };
        HttpResponse response = http.Response;
        if (problem.RetryAfterMs is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (wait + 999) / 1000).ToString(CultureInfo.InvariantCulture);
        ReplyWriter reply = server.Replies.Rent();
        try
        {
            reply.Start(BodyFormat.Json);
            ProblemReplies.Write(reply, problem);
            reply.Finish();
            response.StatusCode = problem.Code.Status();
            response.ContentType = MediaTypes.Problem;
            response.ContentLength = reply.Written.Length;
            await response.BodyWriter.WriteAsync(reply.Written, http.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            server.Replies.Return(reply);
        }
    }
}
