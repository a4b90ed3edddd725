using System.CommandLine;
using System.CommandLine.Parsing;
using RaftQueue.Client;

namespace RaftQueue.Commands;

/// <summary>The command `raftqueue`: parses, runs, and turns what happened into an exit code and one line.</summary>
internal static class RaftQueueCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        // Everything behind `--` belongs to the command that `work` runs, word for word.
        int dashes = args is ["work", ..] ? Array.IndexOf(args, "--") : -1;
        string[] childCommand = dashes < 0 ? [] : args[(dashes + 1)..];
        string[] own = dashes < 0 ? args : args[..dashes];

        // A server's settings are its own to read: `--RaftQueue:NodeId=2` is no option that could be declared here.
        if (own is ["serve", ..] && !own.Any(arg => arg is "-h" or "-?" or "--help")) return await ServeCommand.RunAsync(own[1..]);

        RootCommand root = Build(childCommand);
        ParseResult parsed = root.Parse(own, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors) await Console.Error.WriteLineAsync($"raftqueue: {error.Message}");
            string command = string.Join(' ', CommandNames(parsed.CommandResult));
            await Console.Error.WriteLineAsync($"Try '{command} --help'.");
            return ExitCode.WrongUsage;
        }

        return await InvokeAsync(parsed);
    }

    private static async Task<int> InvokeAsync(ParseResult parsed)
    {
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (UsageException exception)
        {
            await Console.Error.WriteLineAsync($"raftqueue: {exception.Message}");
            return ExitCode.WrongUsage;
        }
        catch (RaftQueueException exception)
        {
            return await ReportAsync(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"raftqueue: {exception.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>One line about a failed request, and the exit code for it.</summary>
    public static async Task<int> ReportAsync(RaftQueueException exception)
    {
        await Console.Error.WriteLineAsync($"raftqueue: {exception.Code}: {exception.Message.ReplaceLineEndings(" ")}");
        if (!exception.IsOutcomeUnknown) return ExitCode.Failed;
        await Console.Error.WriteLineAsync("raftqueue: the request may or may not have taken effect.");
        return ExitCode.OutcomeUnknown;
    }

    private static RootCommand Build(string[] childCommand)
    {
        var root = new RootCommand("A job queue that several nodes keep by Raft: replicated, durable, with nothing beside it.")
        {
            DevCommand.Build(),
            ServeCommand.Build(),
            EnqueueCommand.Build(),
            WorkCommand.Build(childCommand),
            JobCommand.Build(),
            QueuesCommand.Build(),
            ClusterCommand.Build(),
            CheckCommand.Build(),
            HealthCommand.Build(),
            BenchCommand.Build(),
        };
        foreach (string later in new[] { "jobs", "schedules", "top", "restore" }) root.Add(LaterCommand.Build(later));
        return root;
    }

    private static IEnumerable<string> CommandNames(CommandResult? result)
    {
        var names = new Stack<string>();
        for (SymbolResult? symbol = result; symbol is not null; symbol = symbol.Parent)
        {
            if (symbol is CommandResult command) names.Push(command.Command is RootCommand ? "raftqueue" : command.Command.Name);
        }

        return names;
    }
}
