using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RaftQueue.MessagePack;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>Receives bodies, within the limit of one request and the budget of all.</summary>
internal static class BodyReading
{
    private const long MaxDiscardBytes = 64L * 1024 * 1024;

    /// <summary>Whether a body comes with the request at all.</summary>
    public static bool HasBody(HttpContext http) =>
        http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? http.Request.ContentLength is > 0;

    /// <summary>
    /// Copies the body into <paramref name="into"/>. Null when it is there; what it takes of the budget is noted in
    /// <paramref name="exchange"/>, which gives it back. Throws what the server throws when the client stalls or leaves.
    /// </summary>
    public static async ValueTask<Problem?> ReceiveAsync(Exchange exchange, PooledBuffer into, int maxBytes, bool finishing)
    {
        HttpRequest request = exchange.Http.Request;
        if (request.ContentLength > maxBytes)
        {
            await DiscardAsync(exchange.Http).ConfigureAwait(false);
            return TooLarge(maxBytes);
        }

        PipeReader reader = request.BodyReader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(exchange.Http.RequestAborted).ConfigureAwait(false);
            ReadOnlySequence<byte> bytes = result.Buffer;
            Problem? problem = bytes.Length > maxBytes - into.Length ? TooLarge(maxBytes)
                : exchange.TryTakeBodyBytes((int)bytes.Length, finishing) ? null
                : Busy;
            if (problem is null)
            {
                foreach (ReadOnlyMemory<byte> part in bytes) into.Write(part.Span);
            }

            reader.AdvanceTo(bytes.End);
            if (problem is not null || result.IsCompleted) return problem;
        }
    }

    /// <summary>
    /// A client that sends all before it listens would find a broken connection instead of the answer, and take the outcome for
    /// open: its bytes are taken and dropped, up to a bound. One that waits to be told to go on is told no at once.
    /// </summary>
    private static async ValueTask DiscardAsync(HttpContext http)
    {
        if (http.Request.ContentLength > MaxDiscardBytes || http.Request.Headers.Expect.Count > 0) return;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } limit) return;
        limit.MaxRequestBodySize = MaxDiscardBytes;
        while (true)
        {
            ReadResult result = await http.Request.BodyReader.ReadAsync(http.RequestAborted).ConfigureAwait(false);
            http.Request.BodyReader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return;
        }
    }

    private static Problem Busy => new(ProblemCode.Overloaded, "This node holds as many request bodies as it may; come again shortly.")
    {
        RetryAfterMs = 1000,
    };

    private static Problem TooLarge(int maxBytes) =>
        new(ProblemCode.PayloadTooLarge, $"The body may have at most {maxBytes} bytes; split the batch.");
}
