using System.CommandLine;
using System.Globalization;
using RaftQueue.Client;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>Enqueues one job, or a job for each line of the standard input.</summary>
internal static class EnqueueCommand
{
    private static readonly Argument<string> Queue = new("QUEUE") { Description = "The queue; created when it does not exist." };

    private static readonly Argument<string?> Payload = new("PAYLOAD")
    {
        Description = "The payload as JSON; absent means null; - takes a job from each line of the standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Text = new("--text") { Description = "The payload is a string, not JSON." };

    private static readonly Option<TimeSpan?> Delay = new("--delay") { Description = "Due after this time.", HelpName = "5m", CustomParser = Durations.Option };

    private static readonly Option<DateTimeOffset?> RunAt = new("--run-at")
    {
        Description = "Due at this time (RFC 3339; without an offset UTC).",
        HelpName = "TIME",
        CustomParser = result =>
        {
            string text = result.Tokens.Single().Value;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)) return time;
            result.AddError($"\"{text}\" is no time; it may be 2030-01-31T08:00:00Z.");
            return null;
        },
    };

    private static readonly Option<int?> Priority = new("--priority") { Description = "0 to 9, higher first.", HelpName = "N" };

    private static readonly Option<string?> UniqueKey = new("--unique-key")
    {
        Description = "At most one unfinished job of the queue has this key.",
        HelpName = "KEY",
    };

    private static readonly Option<string?> Type = new("--type") { Description = "What kind of job it is.", HelpName = "TYPE" };

    private static readonly Option<string[]> Tags = new("--tag") { Description = "A tag; may be repeated.", HelpName = "TAG" };

    private static readonly Option<int?> MaxAttempts = new("--max-attempts") { Description = "Attempts before the job is dead.", HelpName = "N" };

    private static readonly Option<long> Skip = new("--skip") { Description = "With -: skip so many lines, to go on after a failure.", HelpName = "N" };

    private static readonly Option<string?> IdempotencyKey = new("--idempotency-key")
    {
        Description = "The same command with the same key, within an hour, enqueues nothing twice.",
        HelpName = "KEY",
    };

    public static Command Build()
    {
        var settings = new ClientSettings();
        var command = new Command("enqueue", "Enqueues a job, or a job a line.")
        {
            Queue, Payload, Text, Delay, RunAt, Priority, UniqueKey, Type, Tags, MaxAttempts, Skip, IdempotencyKey,
        };
        settings.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(parsed, settings, cancel));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, ClientSettings settings, CancellationToken cancel)
    {
        NewJob template = Template(parsed);
        string? payload = parsed.GetValue(Payload);
        string queue = parsed.GetValue(Queue)!;
        bool json = settings.IsJson(parsed);
        if (payload == "-")
        {
            if (template.Unique is not null) throw new UsageException("--unique-key with - would make one job of all lines.");
            using RaftQueueClient lines = settings.Connect(parsed);
            var run = new LineEnqueue(lines, queue, template, parsed.GetValue(Text), json, parsed.GetValue(IdempotencyKey));
            return await run.RunAsync(Console.OpenStandardInput(), parsed.GetValue(Skip), cancel);
        }

        NewJob job = payload is null ? template : template with { Payload = Parse(payload, parsed.GetValue(Text)) };
        using RaftQueueClient client = settings.Connect(parsed);
        Write(await client.EnqueueAsync(queue, job, parsed.GetValue(IdempotencyKey), cancel), json);
        return ExitCode.Done;
    }

    /// <summary>One line about an enqueued job.</summary>
    public static void Write(EnqueuedJob job, bool json)
    {
        if (!json)
        {
            Console.Out.WriteLine(job.Id + (job.Duplicate ? job.Replaced ? " duplicate, replaced" : " duplicate" : ""));
            return;
        }

        JsonLine.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("id", job.Id);
            writer.WriteString("state", job.State.ToString().ToLowerInvariant());
            if (job.Duplicate)
            {
                writer.WriteBoolean("duplicate", true);
                writer.WriteBoolean("replaced", job.Replaced);
            }

            writer.WriteEndObject();
        });
    }

    private static NewJob Template(ParseResult parsed)
    {
        if (parsed.GetValue(Delay) is not null && parsed.GetValue(RunAt) is not null) throw new UsageException("--delay and --run-at exclude each other.");
        if (parsed.GetValue(Skip) < 0) throw new UsageException($"--skip is {parsed.GetValue(Skip)}; it may be 0 or more.");
        return new NewJob
        {
            Delay = parsed.GetValue(Delay),
            RunAt = parsed.GetValue(RunAt),
            Priority = parsed.GetValue(Priority),
            Type = parsed.GetValue(Type),
            MaxAttempts = parsed.GetValue(MaxAttempts),
            Tags = parsed.GetValue(Tags) is { Length: > 0 } tags ? tags : null,
            Unique = parsed.GetValue(UniqueKey) is { } key ? new UniqueOptions(key) : null,
        };
    }

    private static JsonText Parse(string payload, bool text)
    {
        try
        {
            return text ? JsonText.FromString(payload) : JsonText.Parse(payload);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw new UsageException($"PAYLOAD is not JSON ({exception.Message}); --text sends it as a string.");
        }
    }
}
