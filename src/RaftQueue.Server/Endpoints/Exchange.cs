using System.Globalization;
using Microsoft.AspNetCore.Http;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>One request and its reply: the conventions that all endpoints share.</summary>
public sealed class Exchange : IDisposable
{
    public const string IndexHeader = "RaftQueue-Index";
    public const string ReplayedHeader = "Idempotency-Replayed";

    private RequestScratch? _scratch;
    private long _bodyBytes;

    public Exchange(HttpContext http, ServerContext server)
    {
        Http = http;
        Server = server;
    }

    public HttpContext Http { get; }

    public ServerContext Server { get; }

    public Node Node => Server.Node;

    /// <summary>The buffers of this request, until <see cref="ReleaseScratch"/>.</summary>
    public RequestScratch Scratch => _scratch ??= Server.Scratch.Rent();

    /// <summary>The body was refused before all of it had come: the rest is dropped after the answer.</summary>
    public bool HasBodyLeft { get; set; }

    /// <summary>The format of the body that was received, and of the reply that is wanted.</summary>
    public BodyFormat BodyFormat { get; private set; }

    public BodyFormat ReplyFormat { get; private set; }

    /// <summary>
    /// Receives a body that must be there. Null when it is in <see cref="RequestScratch.Body"/>; otherwise what to answer.
    /// </summary>
    public async ValueTask<Problem?> ReceiveAsync(bool withPack, bool finishing)
    {
        if (!BodyReading.HasBody(Http)) return Problem.Invalid("", "A body is needed here, with Content-Type: application/json.");
        if (MediaTypes.FormatOf(Http.Request, withPack) is not { } format)
        {
            string types = withPack ? $"{MediaTypes.Json} or {MediaTypes.MessagePack}" : MediaTypes.Json;
            return new Problem(ProblemCode.UnsupportedMediaType, $"Content-Type must be {types}, without Content-Encoding.");
        }

        BodyFormat = format;
        ReplyFormat = withPack ? MediaTypes.ReplyFormat(Http.Request, format) : BodyFormat.Json;
        return await BodyReading.ReceiveAsync(this, Scratch.Body, Server.Limits.BodyBytes, finishing).ConfigureAwait(false);
    }

    /// <summary>Reads what was received. Null when nothing is wrong with it.</summary>
    public Problem? Parse(BodyRequest request) => BodyParsing.Run(request, Scratch, BodyFormat);

    /// <summary>The request's idempotency key, after the body was received. Null key: none was given.</summary>
    public Problem? TryReadKey(out IdempotencyKey? key)
    {
        key = null;
        if (!Http.Request.Headers.TryGetValue(IdempotencyKey.HeaderName, out var values)) return null;
        if (values.Count != 1 || values[0] is not { } text || !IdempotencyKey.IsValid(text))
            return Problem.Invalid($"{IdempotencyKey.HeaderName} must be one value of 1 to 128 printable ASCII characters.");
        key = IdempotencyKey.Of("", Http.Request.Path.Value ?? "", text, Scratch.Body.WrittenSpan);
        return null;
    }

    /// <summary>Gives the buffers back before a long wait.</summary>
    public void ReleaseScratch()
    {
        if (_bodyBytes > 0) Server.Bodies.GiveBack(_bodyBytes);
        _bodyBytes = 0;
        if (_scratch is null) return;
        _scratch.Clear();
        Server.Scratch.Return(_scratch);
        _scratch = null;
    }

    /// <summary>Takes part of the budget for bodies; given back with the buffers.</summary>
    public bool TryTakeBodyBytes(int bytes, bool finishing)
    {
        if (!Server.Bodies.TryTake(bytes, finishing)) return false;
        _bodyBytes += bytes;
        return true;
    }

    public void SetIndex(ShardId shard, LogIndex index) =>
        Http.Response.Headers[IndexHeader] = string.Create(CultureInfo.InvariantCulture, $"{shard.Value}:{index.Value}");

    /// <summary>Several shards took part.</summary>
    public void SetIndexes(IEnumerable<(ShardId Shard, LogIndex Index)> positions) =>
        Http.Response.Headers[IndexHeader] = string.Join(',', positions.Select(position =>
            string.Create(CultureInfo.InvariantCulture, $"{position.Shard.Value}:{position.Index.Value}")));

    public void SetReplayed() => Http.Response.Headers[ReplayedHeader] = "true";

    /// <summary>What an outcome without a result means; null when it was applied.</summary>
    public static Problem? Undecided(in CommandOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.Applied => null,
        OutcomeKind.NotApplied => Outcomes.NotApplied(outcome.Reason),
        _ => Outcomes.Unknown,
    };

    public async Task WriteAsync(Problem problem)
    {
        await Replying.WriteProblemAsync(Http, Server, problem).ConfigureAwait(false);
        if (HasBodyLeft) await BodyReading.DiscardAsync(Http, Server.Options.HttpLimits.BodyGraceMs).ConfigureAwait(false);
    }

    /// <summary>Writes a reply; <paramref name="write"/> returning false means a result that cannot be read.</summary>
    public async Task WriteAsync<TArgument>(int status, TArgument argument, Func<ReplyWriter, TArgument, bool> write)
    {
        ReplyWriter reply = Server.Replies.Rent();
        try
        {
            reply.Start(ReplyFormat);
            Invariant.That(write(reply, argument), "a result of the state machine can be read");
            reply.Finish();
            await Replying.WriteAsync(Http, status, reply).ConfigureAwait(false);
        }
        finally
        {
            Server.Replies.Return(reply);
        }
    }

    /// <summary>The name of the queue in the address, or what is wrong with it.</summary>
    public Problem? TryReadQueue(out byte[] queue)
    {
        queue = System.Text.Encoding.UTF8.GetBytes(Http.Request.RouteValues["queue"] as string ?? "");
        return QueueName.IsValid(queue) ? null : Problem.Invalid($"{LeaseRequest.NameRule}.");
    }

    public void Dispose() => ReleaseScratch();
}
