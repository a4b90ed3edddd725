using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>What happened in a run, in order: the newest lines of every node, or all of them as they come.</summary>
internal sealed class Timeline(FakeClock clock)
{
    private const int KeptANode = 60;

    private readonly SortedDictionary<int, Queue<(long Order, string Text)>> _lines = [];
    private long _order;

    /// <summary>Gets every line at once, when somebody wants to watch.</summary>
    public Action<string>? Watch { get; set; }

    /// <summary>Node 0 is the whole cluster: faults and what clients see.</summary>
    public void Add(int node, string text)
    {
        if (!_lines.TryGetValue(node, out Queue<(long, string)>? lines)) _lines.Add(node, lines = new Queue<(long, string)>());
        if (lines.Count == KeptANode) lines.Dequeue();
        string line = $"{clock.MonotonicMicroseconds / 1000.0,11:F3} ms  {(node == 0 ? "" : $"node {node}  ")}{text}";
        lines.Enqueue((_order++, line));
        Watch?.Invoke(line);
    }

    /// <summary>The last lines of the cluster and of each node, together in the order of time.</summary>
    public override string ToString() =>
        string.Join('\n', _lines.Values.SelectMany(lines => lines).OrderBy(line => line.Order).Select(line => line.Text));
}
