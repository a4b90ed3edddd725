using System.CommandLine;

namespace RaftQueue.Commands;

/// <summary>Runs one node until it is told to stop.</summary>
internal static class ServeCommand
{
    /// <summary>Makes the node stop when its standard input ends: how `dev` takes its nodes with it, whatever becomes of it.</summary>
    public const string StopWithInput = "--stop-with-input";

    /// <summary>How long a node may take to stop after its parent is gone.</summary>
    private static readonly TimeSpan OrphanPatience = TimeSpan.FromSeconds(15);

    /// <summary>For the help page; the settings are read by the server.</summary>
    public static Command Build() => new(
        "serve",
        "Runs one node. Settings also come from the environment (RaftQueue__NodeId=2) and the command line (--RaftQueue:NodeId=2).")
    {
        new Option<string>("--config") { Description = "The settings file.", HelpName = "FILE" },
    };

    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        if (args.Contains(StopWithInput))
        {
            args = [.. args.Where(arg => arg != StopWithInput)];
            var watcher = new Thread(() => WatchInput(stop)) { IsBackground = true, Name = "stop with input" };
            watcher.Start();
        }

        return await Server.Hosting.RaftQueueServer.RunAsync(args, stop.Token);
    }

    private static void WatchInput(CancellationTokenSource stop)
    {
        using Stream input = Console.OpenStandardInput();
        byte[] buffer = new byte[64];
        while (input.Read(buffer) > 0)
        {
        }

        stop.Cancel();
        Thread.Sleep(OrphanPatience);
        Environment.FailFast("The parent process is gone and the node did not stop.");
    }
}
