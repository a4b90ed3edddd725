using System.CommandLine;
using RaftQueue.Client;

namespace RaftQueue.Commands;

/// <summary>Leases jobs and runs a command on each.</summary>
internal static class WorkCommand
{
    private static readonly Argument<string[]> Queues = new("QUEUE")
    {
        Description = "Queues in strict order: all the first has, then the next.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<int> Concurrency = new("--concurrency")
    {
        Description = "Commands that run at once.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int?> LeaseMs = new("--lease-ms")
    {
        Description = "How long a job is held between extensions; the default is the queue's.",
        HelpName = "MS",
    };

    private static readonly Option<bool> Once = new("--once") { Description = "Stop after one job; exit 1 when it failed." };

    private static readonly Option<bool> Drain = new("--drain") { Description = "Stop when nothing is left to lease." };

    private static readonly Option<string?> Name = new("--worker") { Description = "The worker's name; the default is host and process id.", HelpName = "NAME" };

    public static Command Build(string[] childCommand)
    {
        var settings = new ClientSettings();
        var command = new Command("work", "Leases jobs and runs a command on each: raftqueue work QUEUE… -- CMD ARG… ({} is the payload).")
        {
            Queues, Concurrency, LeaseMs, Once, Drain, Name,
        };
        settings.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed, settings, childCommand));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, ClientSettings settings, string[] childCommand)
    {
        if (childCommand.Length == 0) throw new UsageException("no command; it comes after the queues: raftqueue work QUEUE -- CMD ARG…");
        Check("--concurrency", parsed.GetValue(Concurrency), 1, 1000);
        Check("--lease-ms", parsed.GetValue(LeaseMs), 100, 43_200_000);
        using RaftQueueClient client = settings.Connect(parsed);
        using var signals = new StopSignals();
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(signals.Abort);
        var run = new WorkRun(new ChildCommand(childCommand), childCommand[0], settings.IsJson(parsed), abort, signals.Stop);
        var options = new WorkerOptions
        {
            Queues = parsed.GetValue(Queues)!,
            Concurrency = parsed.GetValue(Concurrency),
            Lease = parsed.GetValue(LeaseMs) is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
            StopWhenEmpty = parsed.GetValue(Drain),
            MostJobs = parsed.GetValue(Once) ? 1 : null,
            OnFinished = run.Finished,
            OnError = error => Console.Error.WriteLine($"raftqueue: {error.Code}: {error.Message.ReplaceLineEndings(" ")}"),
        };
        if (parsed.GetValue(Name) is { } name) options = options with { Name = name };
        await new Worker(client, options, run.HandleAsync).RunAsync(signals.Stop, abort.Token);
        if (run.CannotStart is { } why)
        {
            await Console.Error.WriteLineAsync($"raftqueue: {why}");
            return ExitCode.Failed;
        }

        return parsed.GetValue(Once) && run.Failed > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static void Check(string option, int? value, int least, int most)
    {
        if (value < least || value > most) throw new UsageException($"{option} is {value}; it may be {least} to {most}.");
    }
}
