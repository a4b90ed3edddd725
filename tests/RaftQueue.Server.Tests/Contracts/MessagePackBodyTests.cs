using RaftQueue.Jobs;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

public sealed class MessagePackBodyTests
{
    [Fact]
    public void EveryFieldArrives()
    {
        byte[] body = Pack.Map(
            ("payloadBytes", Pack.Binary([0, 255, 128])), ("contentType", Pack.Text("image/png")), ("type", Pack.Text("t")),
            ("priority", Pack.Integer(9)), ("delayMs", Pack.Integer(5)), ("unique", Pack.Map(("key", Pack.Text("k")))),
            ("retry", Pack.Map(("jitter", Pack.Double(0.25)))), ("tags", Pack.Array(Pack.Text("a"))),
            ("headers", Pack.Map(("h", Pack.Text("v")))), ("keepMs", Pack.Nil));
        Assert.Null(Parsing.Enqueue(body, BodyFormat.MessagePack, out RequestScratch scratch));
        ParsedJob job = Assert.Single(Parsing.Jobs(scratch));
        Assert.Equal((PayloadKind.Bytes, "image/png", "t", 9, 5L), (job.Kind, job.ContentType, job.Type, job.Priority, job.DelayMs));
        Assert.Equal([0, 255, 128], job.Payload);
        Assert.Equal("k", job.UniqueKey);
        Assert.Equal(250_000, job.Retry!.Value.JitterPpm);
        Assert.Equal("v", job.Headers["h"]);
        Assert.Null(job.KeepMs);
    }

    public static TheoryData<byte[], string> Wrong => new()
    {
        { Pack.Map(("payload", Pack.Integer(1))), "/payload" },
        { Pack.Map(("payload", Pack.Text("{"))), "/payload" },
        { Pack.Map(("payload", Pack.Text("1 2"))), "/payload" },
        { Pack.Map(("payload", Pack.Text(""))), "/payload" },
        { Pack.Map(("payload", Pack.Text("\"\\ud800\""))), "/payload" },
        { Pack.Map(("payload", Pack.RawText([(byte)'"', 0xff, (byte)'"']))), "/payload" },
        { Pack.Map(("payloadBase64", Pack.Text("YQ=="))), "/payloadBase64" },
        { Pack.Map(("payloadBytes", Pack.Text("a"))), "/payloadBytes" },
        { Pack.Map(("type", Pack.RawText([0xed, 0xa0, 0x80]))), "/type" },
        { Pack.Map(("tags", Pack.Array(Pack.RawText([0xff])))), "/tags/0" },
        { Pack.Map(("priority", Pack.Double(1))), "/priority" },
        { Pack.Map(("priority", Pack.Integer(-1))), "/priority" },
        { Pack.Map(("type", Pack.Text("a")), ("type", Pack.Text("a"))), "/type" },
        { Pack.Map(("nothing", Pack.Array())), "/nothing" },
        { Pack.Map(("jobs", Pack.Array(Pack.Map(), Pack.Map(("delayMs", Pack.Text("1")))))), "/jobs/1/delayMs" },
        { Pack.Array(), "" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void WhatIsWrongIsNamed(byte[] body, string pointer)
    {
        Problem? problem = Parsing.Enqueue(body, BodyFormat.MessagePack, out _);
        Assert.Equal(ProblemCode.InvalidRequest, problem!.Code);
        Assert.Equal(pointer, Assert.Single(problem.Errors).Pointer);
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        byte[] body = Pack.Map(
            ("payload", Pack.Text("{\"a\":1}")), ("tags", Pack.Array(Pack.Text("a"))), ("unique", Pack.Map(("key", Pack.Text("k")))));
        Assert.Null(Parsing.Enqueue(body, BodyFormat.MessagePack, out _));
        for (int length = 0; length < body.Length; length++)
        {
            Problem? problem = Parsing.Enqueue(body[..length], BodyFormat.MessagePack, out _);
            Assert.Equal(ProblemCode.InvalidRequest, problem!.Code);
        }

        Assert.NotNull(Parsing.Enqueue([.. body, 0xc0], BodyFormat.MessagePack, out _));
    }
}
