using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Tests.Support;

/// <summary>Runs the parsers of bodies without a server.</summary>
internal static class Parsing
{
    public static Problem? Enqueue(string json, out RequestScratch scratch, RequestLimits? limits = null, string? traceParent = null) =>
        Enqueue(Encoding.UTF8.GetBytes(json), BodyFormat.Json, out scratch, limits, traceParent);

    public static Problem? Enqueue(
        byte[] body, BodyFormat format, out RequestScratch scratch, RequestLimits? limits = null, string? traceParent = null)
    {
        scratch = Receive(body);
        byte[] trace = Encoding.ASCII.GetBytes(traceParent ?? "");
        return BodyParsing.Run(new EnqueueRequest(limits ?? new RequestLimits(), scratch, "q"u8.ToArray(), null, trace), scratch, format);
    }

    public static Problem? Lease(byte[] body, BodyFormat format)
    {
        RequestScratch scratch = Receive(body);
        return BodyParsing.Run(new LeaseRequest(new RequestLimits(), scratch), scratch, format);
    }

    public static Problem? Tokens(byte[] body, BodyFormat format, TokenVerb verb)
    {
        RequestScratch scratch = Receive(body);
        using var request = new TokensRequest(new RequestLimits(), scratch, verb, 1, null);
        return BodyParsing.Run(request, scratch, format);
    }

    public static Problem? Settings(byte[] body, out RequestScratch scratch)
    {
        scratch = Receive(body);
        return BodyParsing.Run(new QueueSettingsRequest(new RequestLimits(), scratch, "q"u8.ToArray(), replaceAll: true), scratch, BodyFormat.Json);
    }

    /// <summary>The jobs of the command that a request was turned into; apply itself must be able to read them.</summary>
    public static List<ParsedJob> Jobs(RequestScratch scratch)
    {
        Assert.True(EnqueueCommand.TryRead(scratch.Command.WrittenSpan, out EnqueueCommand command), "apply can read the command");
        var jobs = new List<ParsedJob>();
        MessagePackReader reader = command.Jobs;
        for (int i = 0; i < command.Count; i++)
        {
            Assert.True(JobSpec.TryRead(ref reader, out JobSpec job));
            jobs.Add(new ParsedJob(job));
        }

        return jobs;
    }

    private static RequestScratch Receive(byte[] body)
    {
        var scratch = new RequestScratch();
        scratch.Body.Write(body);
        return scratch;
    }
}
