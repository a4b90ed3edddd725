using System.Diagnostics;

namespace RaftQueue.Processes;

/// <summary>Three processes on this machine.</summary>
internal sealed class Cluster : IDisposable
{
    private const int Nodes = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="program">The built command.</param>
    /// <param name="directory">For data, settings and logs of all nodes.</param>
    /// <param name="port">HTTP of the first node; the others follow, peers use those 1,000 above.</param>
    /// <param name="settings">More settings of every node, JSON properties each ended by a comma.</param>
    public Cluster(string program, string directory, int port, string settings = "")
    {
        Directory.CreateDirectory(directory);
        All = [.. Enumerable.Range(1, Nodes).Select(id => new ClusterNode(program, directory, id, Nodes, port, settings))];
    }

    public IReadOnlyList<ClusterNode> All { get; }

    /// <summary>Those whose process is there.</summary>
    public IReadOnlyList<ClusterNode> Running => [.. All.Where(node => node.IsRunning)];

    /// <summary>Starts all nodes at once; gives the time until the last one is ready.</summary>
    public TimeSpan Start()
    {
        long start = Stopwatch.GetTimestamp();
        foreach (ClusterNode node in All) node.Start();
        foreach (ClusterNode node in All) MustBeReady(node);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Starts one node; gives the time until it is ready.</summary>
    public static TimeSpan Start(ClusterNode node, TimeSpan? patience = null)
    {
        long start = Stopwatch.GetTimestamp();
        node.Start();
        MustBeReady(node, patience);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until one node leads and all members have the whole log, so that trials do not disturb each other.</summary>
    public ClusterNode WaitUntilEven(TimeSpan? patience = null)
    {
        TimeSpan most = patience ?? Patience;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < most)
        {
            if (All.FirstOrDefault(node => node.Cluster() is { IsEven: true }) is { } leader) return leader;
            Thread.Sleep(20);
        }

        throw new IOException($"The nodes did not come to the same log within {most.TotalSeconds} s.");
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

    private static void MustBeReady(ClusterNode node, TimeSpan? patience = null)
    {
        TimeSpan most = patience ?? Patience;
        if (!node.WaitUntilReady(most)) throw new IOException($"Node {node.Id} was not ready within {most.TotalSeconds} s; see {node.LogFile}.");
    }
}
