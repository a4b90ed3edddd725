using System.Diagnostics;

namespace RaftQueue.Bench;

/// <summary>One run of the load generator, from finding the leader to the report.</summary>
internal sealed class BenchRun
{
    private const int StackBytes = 256 * 1024;
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromSeconds(1);

    private readonly BenchOptions _options;
    private readonly BenchCluster _cluster;
    private readonly BenchTally _tally;
    private readonly BenchConnection[] _connections;
    private readonly IReadOnlyList<ServerProcess> _servers;

    /// <exception cref="IOException">No server tells of the cluster, or it has no leader to connect to.</exception>
    public BenchRun(BenchOptions options)
    {
        _options = options;
        _cluster = BenchCluster.Ask(options.Servers, options.Token, options.Queue);
        Uri[] servers = options.SpreadOverAll ? [.. options.Servers]
            : [_cluster.Leader ?? throw new IOException("The cluster has no leader at the moment; --any connects to the servers as they are.")];
        _servers = ServerProcess.Find(_cluster.Members.Count > 0 ? _cluster.Members : options.Servers);
        _tally = new BenchTally(options);
        _connections = [.. Enumerable.Range(0, options.Connections).Select(number => new BenchConnection(_tally, options, servers, number))];
    }

    /// <summary>Runs to the end, or until <paramref name="stop"/>: then what was measured so far is reported.</summary>
    public BenchReport Run(CancellationToken stop)
    {
        Dictionary<ServerProcess, TimeSpan?> before = _servers.ToDictionary(server => server, server => server.ProcessorTime());
        TimeSpan ownBefore = OwnProcessorTime();
        Thread[] threads = [.. _connections.Select((connection, i) => new Thread(connection.Run, StackBytes) { Name = $"bench {i}", IsBackground = true })];
        foreach (Thread thread in threads) thread.Start();
        using (stop.Register(() => _tally.Fail("stopped by a signal")))
        {
            var progress = new BenchProgress(_tally, _options);
            foreach (Thread thread in threads)
            {
                while (!thread.Join(ProgressPeriod)) progress.Show();
            }

            _tally.Finish();
            progress.End();
        }

        return new BenchReport
        {
            Options = _options,
            Durability = _cluster.Durability,
            Target = _options.SpreadOverAll ? $"{_options.Servers.Count} servers" : $"the leader {_cluster.Leader!.GetLeftPart(UriPartial.Authority)}",
            Tally = _tally,
            Enqueues = Sum(connection => connection.Enqueues),
            Leases = Sum(connection => connection.Leases),
            Acks = Sum(connection => connection.Acks),
            OwnProcessorTime = OwnProcessorTime() - ownBefore,
            Servers = [.. _servers.Select(server => (server, server.ProcessorTime() - before[server], server.ResidentBytes()))],
        };
    }

    private LatencyHistogram Sum(Func<BenchConnection, LatencyHistogram> part)
    {
        var sum = new LatencyHistogram();
        foreach (BenchConnection connection in _connections) sum.Add(part(connection));
        return sum;
    }

    private static TimeSpan OwnProcessorTime()
    {
        using Process own = Process.GetCurrentProcess();
        return own.TotalProcessorTime;
    }
}
