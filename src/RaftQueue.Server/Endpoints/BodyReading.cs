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
    /// <summary>The longest body that is taken from the connection at all, though not kept.</summary>
    public const long MaxDiscardBytes = 64L * 1024 * 1024;

    private const long MaxDiscardMs = 60_000;

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
            exchange.HasBodyLeft = true;
            return TooLarge(maxBytes);
        }

        PipeReader reader = request.BodyReader;
        while (true)
        {
            ReadResult result = await NextAsync(reader, exchange).ConfigureAwait(false);
            ReadOnlySequence<byte> bytes = result.Buffer;
            if (result is { IsCanceled: true, IsCompleted: false } && bytes.IsEmpty)
            {
                exchange.Http.Response.Headers.Connection = "close";
                return Problem.Invalid("Nothing more of the body came for too long; it was given up.");
            }

            Problem? problem = bytes.Length > maxBytes - into.Length ? TooLarge(maxBytes)
                : exchange.TryTakeBodyBytes((int)bytes.Length, finishing) ? null
                : Busy;
            if (problem is null)
            {
                foreach (ReadOnlyMemory<byte> part in bytes) into.Write(part.Span);
            }

            reader.AdvanceTo(bytes.End);
            exchange.HasBodyLeft = problem is not null && !result.IsCompleted;
            if (problem is not null || result.IsCompleted) return problem;
        }
    }

    /// <summary>What comes next; cancelled when nothing does. The server's own limit is an average: who sent much may be silent for hours.</summary>
    private static ValueTask<ReadResult> NextAsync(PipeReader reader, Exchange exchange)
    {
        ValueTask<ReadResult> read = reader.ReadAsync(exchange.Http.RequestAborted);
        return read.IsCompleted ? read : WithinAsync(read, reader, exchange.Server.Options.HttpLimits.BodySilenceMs);
    }

    private static async ValueTask<ReadResult> WithinAsync(ValueTask<ReadResult> read, PipeReader reader, int silenceMs)
    {
        using var silence = new CancellationTokenSource(silenceMs);
        using CancellationTokenRegistration giveUp =
            silence.Token.UnsafeRegister(static waiting => ((PipeReader)waiting!).CancelPendingRead(), reader);
        return await read.ConfigureAwait(false);
    }

    /// <summary>
    /// After the answer: a client that sends all before it listens would find a broken connection instead of it, and take the outcome for
    /// open. Its bytes are taken and dropped, up to a bound. One that waits to be told to go on was told no.
    /// </summary>
    /// <param name="http">The request that was answered.</param>
    /// <param name="silenceMs">Nothing comes for so long: no more is waited for.</param>
    public static async Task DiscardAsync(HttpContext http, int silenceMs)
    {
        if (http.Request.ContentLength > MaxDiscardBytes || http.Request.Headers.Expect.Count > 0) return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        long end = Environment.TickCount64 + MaxDiscardMs;
        try
        {
            while (Environment.TickCount64 < end)
            {
                over.CancelAfter(silenceMs);
                ReadResult result = await http.Request.BodyReader.ReadAsync(over.Token).ConfigureAwait(false);
                http.Request.BodyReader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return;
            }
        }
        catch (Exception exception) when (exception is BadHttpRequestException or OperationCanceledException)
        {
            // It stalls, leaves, or sends more than the bound: it has its answer, and the server closes the connection.
            return;
        }
    }

    private static Problem Busy => new(ProblemCode.Overloaded, "This node holds as many request bodies as it may; come again shortly.")
    {
        RetryAfterMs = 1000,
    };

    private static Problem TooLarge(int maxBytes) =>
        new(ProblemCode.PayloadTooLarge, $"The body may have at most {maxBytes} bytes; split the batch.");
}
