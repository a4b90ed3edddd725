using RaftQueue.Commands;

namespace RaftQueue.Dev;

/// <summary>
/// Starts the nodes of a local cluster, reports what becomes of them, and stops them all. A node that dies stays dead, so that an
/// experiment with kill -9 shows what it is meant to show; unless restarts are asked for.
/// </summary>
internal sealed class DevCluster(DevFiles files, bool restart)
{
    private static readonly TimeSpan RestartAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, NodeProcess> _running = [];
    private int _badExits;

    /// <summary>Runs until <paramref name="stop"/> or until no node is left; <paramref name="abort"/> kills what has not stopped.</summary>
    public async Task<int> RunAsync(CancellationToken stop, CancellationToken abort)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] nodes = [.. Enumerable.Range(1, files.Nodes).Select(node => KeepAsync(node, stop))];
        foreach (int node in Enumerable.Range(1, files.Nodes)) Say($"node {node}  {files.Http(node)}  log {files.LogFile(node)}");
        Say("Ctrl-C stops all nodes.");
        Task announcing = AnnounceAsync(ended.Token);
        Task allEnded = Task.WhenAll(nodes);
        await Task.WhenAny(allEnded, Task.Delay(Timeout.InfiniteTimeSpan, stop));
        bool wasAsked = stop.IsCancellationRequested;
        await ended.CancelAsync();
        await announcing;
        if (wasAsked) await StopAsync(allEnded, abort);
        await allEnded;
        if (!wasAsked) Say("no node is left");
        return wasAsked && _badExits == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task KeepAsync(int node, CancellationToken stop)
    {
        while (true)
        {
            using NodeProcess process = NodeProcess.Start(files, node);
            lock (_lock) _running[node] = process;
            Say($"node {node}  process {process.ProcessId}");
            if (stop.IsCancellationRequested) process.AskToStop();
            int code = await process.EndedAsync();
            lock (_lock) _running.Remove(node);
            if (stop.IsCancellationRequested)
            {
                if (code != ExitCode.Done) Report(process, code);
                return;
            }

            Report(process, code);

            // Exit code 2 is a wrong setting or a refused directory: another start would say the same.
            if (!restart || code == ExitCode.WrongUsage) return;
            await Task.Delay(RestartAfter, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested) return;
        }
    }

    private void Report(NodeProcess process, int code)
    {
        string signal = code > 128 ? $" (signal {code - 128})" : "";
        Say($"node {process.Node}  process {process.ProcessId} ended with exit code {code}{signal}");
        if (code is ExitCode.Failed or ExitCode.WrongUsage or 134)
        {
            foreach (string line in process.Tail.TakeLast(5)) Say($"node {process.Node}  | {line}");
        }

        if (code != ExitCode.Done && (code <= 128 || code == 134)) Interlocked.Increment(ref _badExits);
    }

    private async Task StopAsync(Task allEnded, CancellationToken abort)
    {
        Say("stopping");
        lock (_lock)
        {
            foreach (NodeProcess process in _running.Values) process.AskToStop();
        }

        await Task.WhenAny(allEnded, Task.Delay(StopPatience, abort));
        lock (_lock)
        {
            foreach (NodeProcess process in _running.Values)
            {
                Say($"node {process.Node}  did not stop in time and is killed");
                process.Kill();
            }
        }
    }

    /// <summary>Says when all nodes are ready, which is also when the cluster has a leader.</summary>
    private async Task AnnounceAsync(CancellationToken ended)
    {
        for (int node = 1; node <= files.Nodes; node++)
        {
            while (!(await HealthCommand.AskAsync(files.Http(node), CancellationToken.None)).IsReady)
            {
                await Task.Delay(ReadyPoll, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (ended.IsCancellationRequested) return;
            }
        }

        Say($"{files.Nodes} nodes ready");
    }

    private static void Say(string line)
    {
        lock (Console.Out) Console.Out.WriteLine(line);
    }
}
