using FsCheck;
using FsCheck.Fluent;
using RaftQueue.MessagePack;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

/// <summary>The text of a payload is kept byte for byte, in whatever way it is written.</summary>
public sealed class PayloadTextTests
{
    private static readonly Gen<string> Space = Gen.Elements("", " ", "\t", "\n", "\r\n ", "  ");

    private static readonly Gen<string> Scalar = Gen.Elements(
        "null", "true", "false", "0", "-0", "1.0", "1.00", "1e400", "-12E+3", "123456789012345678901234567890", "0.1e-9",
        "\"\"", "\"a\"", "\"\\u0041\\n\\/\"", "\"😀\\ud83d\\ude00\"", "\"/\\\\\"", "\"\u007f\u2028\"", "\"<script>&'\"");

    private static readonly Gen<string> Name = Gen.Elements("\"a\"", "\"b\"", "\"\\u0061\"", "\"\"", "\"payload\"", "\"ü\"");

    [Fact]
    public void JsonTextIsKept() => Prop.ForAll(Value(4).ToArbitrary(), text =>
    {
        Problem? single = Parsing.Enqueue($"{{\"priority\":1, \"payload\" :  {text} ,\"type\":\"t\"}}", out RequestScratch scratch);
        string kept = Encoding.UTF8.GetString(Assert.Single(Parsing.Jobs(scratch)).Payload);
        Problem? batch = Parsing.Enqueue($"{{\"jobs\":[{{\"payload\":{text}}},{{\"payload\":{text}\n}}]}}", out RequestScratch second);
        return single is null && batch is null && kept == text
            && Parsing.Jobs(second).All(job => Encoding.UTF8.GetString(job.Payload) == text);
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void JsonTextInMessagePackIsKept() => Prop.ForAll(Value(3).ToArbitrary(), text =>
    {
        string padded = $" {text}\n";
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        writer.WriteMapHeader(1);
        writer.WriteString("payload");
        writer.WriteString(padded);
        Problem? problem = Parsing.Enqueue(body.WrittenSpan.ToArray(), BodyFormat.MessagePack, out RequestScratch scratch);
        return problem is null && Encoding.UTF8.GetString(Assert.Single(Parsing.Jobs(scratch)).Payload) == padded;
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void RepliesHoldTheTextAsItIs() => Prop.ForAll(Value(3).ToArbitrary(), text =>
    {
        using var reply = new ReplyWriter();
        reply.Start(BodyFormat.Json);
        reply.BeginObject();
        reply.Name(new Word("payload"));
        reply.JsonText(Encoding.UTF8.GetBytes(text));
        reply.EndObject();
        reply.Finish();
        return Encoding.UTF8.GetString(reply.Written.Span) == $"{{\"payload\":{text}}}";
    }).Check(Config.QuickThrowOnFailure);

    private static Gen<string> Value(int depth)
    {
        if (depth == 0) return Scalar;
        Gen<string> inner = Value(depth - 1);
        Gen<string> spaced = from before in Space from value in inner from after in Space select before + value + after;
        Gen<string> member = from name in Name from space in Space from value in spaced select $"{name}{space}:{value}";
        Gen<string> list = spaced.ListOf().Select(items => $"[{string.Join(',', items.Take(4))}]");
        Gen<string> map = member.ListOf().Select(items => $"{{{string.Join(',', items.Take(4))}}}");
        return Gen.OneOf(Scalar, list, map);
    }
}
