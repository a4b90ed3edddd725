using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json;
using RaftQueue.Client;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>Shows a job, or cancels it.</summary>
internal static class JobCommand
{
    public static Command Build()
    {
        var settings = new ClientSettings();
        var id = new Argument<string>("ID") { Description = "The job's id; - takes an id from each line of the standard input." };
        var wait = new Option<TimeSpan?>("--wait")
        {
            Description = "Wait so long for the job to finish, to a minute.",
            HelpName = "5s",
            CustomParser = Durations.Option,
        };
        var command = new Command("job", "Shows a job.") { id, wait };
        settings.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using RaftQueueClient client = settings.Connect(parsed);
            int code = ExitCode.Done;
            await foreach (string one in IdsAsync(parsed.GetValue(id)!, cancel))
            {
                int shown = await ShowAsync(client, one, parsed.GetValue(wait) ?? TimeSpan.Zero, settings.IsJson(parsed), cancel);
                if (shown != ExitCode.Done) code = shown;
            }

            return code;
        });
        command.Add(BuildCancel());
        return command;
    }

    private static async IAsyncEnumerable<string> IdsAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (id != "-")
        {
            yield return id;
            yield break;
        }

        while (await Console.In.ReadLineAsync(cancel) is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return line.Trim();
        }
    }

    private static Command BuildCancel()
    {
        var settings = new ClientSettings();
        var id = new Argument<string>("ID") { Description = "The job's id." };
        var command = new Command("cancel", "Cancels a job; one that runs is asked to stop.") { id };
        settings.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using RaftQueueClient client = settings.Connect(parsed);
            if (await client.CancelAsync(parsed.GetValue(id)!, cancel) is not { } job) return NotFound(parsed.GetValue(id)!);
            if (settings.IsJson(parsed)) return await ShowAsync(client, job.Id, TimeSpan.Zero, json: true, cancel);
            Console.Out.WriteLine(job.CancelRequested && !job.IsFinished ? $"{job.Id} cancellation requested" : $"{job.Id} {Word(job.State)}");
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<int> ShowAsync(RaftQueueClient client, string id, TimeSpan wait, bool json, CancellationToken cancel)
    {
        if (!json)
        {
            if (await client.GetJobAsync(id, wait, cancel) is not { } job) return NotFound(id);
            Write(job);
            return ExitCode.Done;
        }

        try
        {
            string query = wait > TimeSpan.Zero ? $"?waitMs={(long)wait.TotalMilliseconds}" : "";
            using JsonDocument document = await client.GetJsonAsync("v1/jobs/" + Uri.EscapeDataString(id) + query, wait, cancel);
            JsonLine.Write(document.RootElement);
            return ExitCode.Done;
        }
        catch (RaftQueueException exception) when (exception.Code == "job_not_found")
        {
            return NotFound(id);
        }
    }

    private static int NotFound(string id)
    {
        Console.Error.WriteLine($"raftqueue: there is no job {id}.");
        return ExitCode.Failed;
    }

    private static void Write(Job job)
    {
        var lines = new List<(string Name, string? Value)>
        {
            ("id", job.Id),
            ("queue", job.Queue),
            ("type", job.Type),
            ("state", Word(job.State) + (job.Reason is null ? "" : $" ({job.Reason})") + (job.CancelRequested ? ", cancellation requested" : "")),
            ("priority", $"{job.Priority}"),
            ("attempt", $"{job.Attempt} of {job.MaxAttempts}"),
            ("created", Time(job.CreatedAt)),
            ("due", Time(job.RunAt)),
            ("started", Time(job.StartedAt)),
            ("finished", Time(job.FinishedAt)),
            ("group", job.Group),
            ("unique key", job.UniqueKey),
            ("tags", job.Tags.Count == 0 ? null : string.Join(", ", job.Tags)),
            ("payload", job.PayloadBytes is { } bytes ? $"{bytes.Length} bytes of {job.ContentType ?? "no type"}" : job.Payload?.Text ?? "null"),
            ("result", job.Result?.Text),
            ("progress", job.Progress?.Text),
            ("error", job.Error),
            ("leased by", job.Lease is { } lease ? $"{lease.Worker ?? "somebody"} until {Time(lease.ExpiresAt)}, fence {lease.Fence}" : null),
        };
        foreach ((string name, string? value) in lines)
        {
            if (value is not null) Console.Out.WriteLine($"{name + ":",-11} {value}");
        }

        foreach (Attempt attempt in job.Attempts)
        {
            Console.Out.WriteLine($"attempt {attempt.Number}: {attempt.Worker} {Time(attempt.StartedAt)} {attempt.Outcome} {attempt.Error}".TrimEnd());
        }
    }

    private static string? Time(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Word(JobState state) => state.ToString().ToLowerInvariant();
}
