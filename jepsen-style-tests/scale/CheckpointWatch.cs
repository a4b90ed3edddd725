using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>Notes every checkpoint that the nodes write while it is there, on a thread of its own, and prints what they cost.</summary>
internal sealed class CheckpointWatch : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly ClusterNode[] _nodes;
    private readonly Dictionary<(int Node, long Index), ShardNumbers> _seen = [];
    private readonly HashSet<(int Node, long Index)> _before = [];
    private readonly ManualResetEventSlim _over = new();
    private readonly Thread _thread;

    public CheckpointWatch(Cluster cluster)
    {
        _nodes = [.. cluster.Running];
        foreach (ClusterNode node in _nodes) _before.Add((node.Id, ShardNumbers.Of(node)?.CheckpointIndex ?? 0));
        _thread = new Thread(Run);
        _thread.Start();
    }

    public void Dispose()
    {
        _over.Set();
        _thread.Join();
        _over.Dispose();
        foreach (ClusterNode node in _nodes) Tell(node);
    }

    private void Run()
    {
        while (!_over.Wait(Pause))
        {
            foreach (ClusterNode node in _nodes)
            {
                if (ShardNumbers.Of(node) is { CheckpointIndex: > 0 } numbers && !_before.Contains((node.Id, numbers.CheckpointIndex)))
                    _seen[(node.Id, numbers.CheckpointIndex)] = numbers;
            }
        }
    }

    private void Tell(ClusterNode node)
    {
        List<ShardNumbers> written = [.. _seen.Where(pair => pair.Key.Node == node.Id).Select(pair => pair.Value)];
        string checkpoints = written.Count == 0
            ? "no checkpoint"
            : $"{written.Count} checkpoints of {written.Average(each => each.CheckpointMs) / 1000:0.0} s (at most {written.Max(each => each.CheckpointMs) / 1000.0:0.0}) "
                + $"and {written.Average(each => each.CheckpointBytes) / 1048576:0} MiB (at most {written.Max(each => each.CheckpointBytes) / 1048576.0:0})";
        ShardNumbers? now = ShardNumbers.Of(node);
        Console.WriteLine(
            $"  meanwhile node {node.Id}: {checkpoints}; since its start a checkpoint held applying up for at most {now?.LongestPauseUs / 1000.0:0.0} ms, "
            + $"an eviction for {now?.LongestEvictionUs / 1000.0:0.0} ms; {now?.EvictionWaits} evictions were waited for");
    }
}
