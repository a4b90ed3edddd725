using System.Diagnostics;

namespace RaftQueue.Failover;

/// <summary>Three processes on this machine.</summary>
internal sealed class Cluster : IDisposable
{
    private const int Nodes = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public Cluster(string program, string directory, int port)
    {
        Directory.CreateDirectory(directory);
        All = [.. Enumerable.Range(1, Nodes).Select(id => new ClusterNode(program, directory, id, Nodes, port))];
    }

    public IReadOnlyList<ClusterNode> All { get; }

    /// <summary>Starts all nodes at once; gives the time until the last one is ready.</summary>
    public TimeSpan Start()
    {
        long start = Stopwatch.GetTimestamp();
        foreach (ClusterNode node in All) node.Start();
        foreach (ClusterNode node in All) MustBeReady(node);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Starts one node; gives the time until it is ready.</summary>
    public static TimeSpan Start(ClusterNode node)
    {
        long start = Stopwatch.GetTimestamp();
        node.Start();
        MustBeReady(node);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until one node leads and all members have the whole log, so that trials do not disturb each other.</summary>
    public ClusterNode WaitUntilEven()
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            if (All.FirstOrDefault(node => node.Cluster() is { IsEven: true }) is { } leader) return leader;
            Thread.Sleep(20);
        }

        throw new IOException($"The nodes did not come to the same log within {Patience.TotalSeconds} s.");
    }

    public void KillAll()
    {
        foreach (ClusterNode node in All) node.Send(Signals.Kill);
        foreach (ClusterNode node in All) node.WaitForEnd();
    }

    public void Dispose()
    {
        foreach (ClusterNode node in All) node.Dispose();
    }

    private static void MustBeReady(ClusterNode node)
    {
        if (!node.WaitUntilReady(Patience)) throw new IOException($"Node {node.Id} was not ready within {Patience.TotalSeconds} s; see {node.LogFile}.");
    }
}
