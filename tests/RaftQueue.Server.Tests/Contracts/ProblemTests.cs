using System.Text.Json.Nodes;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Tests.Contracts;

public sealed class ProblemTests
{
    [Theory]
    [InlineData(ProblemCode.InvalidRequest, "invalid_request", 400)]
    [InlineData(ProblemCode.Unauthorized, "unauthorized", 401)]
    [InlineData(ProblemCode.Forbidden, "forbidden", 403)]
    [InlineData(ProblemCode.NotFound, "not_found", 404)]
    [InlineData(ProblemCode.JobNotFound, "job_not_found", 404)]
    [InlineData(ProblemCode.QueueNotFound, "queue_not_found", 404)]
    [InlineData(ProblemCode.MethodNotAllowed, "method_not_allowed", 405)]
    [InlineData(ProblemCode.UniqueConflict, "unique_conflict", 409)]
    [InlineData(ProblemCode.IdempotencyConflict, "idempotency_conflict", 409)]
    [InlineData(ProblemCode.WrongState, "wrong_state", 409)]
    [InlineData(ProblemCode.VersionMismatch, "version_mismatch", 412)]
    [InlineData(ProblemCode.PayloadTooLarge, "payload_too_large", 413)]
    [InlineData(ProblemCode.UnsupportedMediaType, "unsupported_media_type", 415)]
    [InlineData(ProblemCode.QueueFull, "queue_full", 429)]
    [InlineData(ProblemCode.TooManyQueues, "too_many_queues", 429)]
    [InlineData(ProblemCode.Internal, "internal", 500)]
    [InlineData(ProblemCode.Overloaded, "overloaded", 503)]
    [InlineData(ProblemCode.NoLeader, "no_leader", 503)]
    [InlineData(ProblemCode.Removed, "removed", 503)]
    [InlineData(ProblemCode.OutcomeUnknown, "outcome_unknown", 504)]
    public void CodesHaveTheirTextAndStatus(ProblemCode code, string text, int status)
    {
        Assert.Equal((text, status), (code.Text(), code.Status()));
        Assert.NotEmpty(code.Title());
        Assert.Equal(status is 429 or 503, code.IsRetryable());
    }

    [Fact]
    public void EveryCodeHasAnEntry()
    {
        string[] texts = [.. Enum.GetValues<ProblemCode>().Select(code => code.Text())];
        Assert.Equal(texts.Length, texts.Distinct().Count());
    }

    [Fact]
    public void AProblemIsWrittenWithWhatItHas()
    {
        using var reply = new ReplyWriter();
        reply.Start(BodyFormat.Json);
        ProblemReplies.Write(reply, new Problem(ProblemCode.UniqueConflict, "held")
        {
            RetryAfterMs = 5,
            JobId = "j",
            Errors = [new RequestError("/a~1b", "x", "k")],
        });
        reply.Finish();
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""
                {"type":"urn:raftqueue:problem:unique_conflict","title":"The unique key is held by another job","status":409,"detail":"held",
                 "code":"unique_conflict","retryAfterMs":5,"jobId":"j","errors":[{"pointer":"/a~1b","detail":"x","jobId":"k"}]}
                """),
            JsonNode.Parse(reply.Written.Span)));
    }

    [Theory]
    [InlineData("abc", 2, "ab")]
    [InlineData("aä", 2, "a")]
    [InlineData("aä", 3, "aä")]
    [InlineData("😀", 3, "")]
    [InlineData("", 0, "")]
    public void TextIsCutBetweenCharacters(string text, int bytes, string cut) =>
        Assert.Equal(cut, Encoding.UTF8.GetString(TextRules.Cut(Encoding.UTF8.GetBytes(text), bytes)));
}
