using System.Globalization;
using System.Text.Json;
using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Processes;

/// <summary>
/// P10 from outside: asks every node again and again who leads which term and what its state hashes to, for <see cref="RaftChecker"/>. A
/// thread of its own.
/// </summary>
internal sealed class ClusterWatcher
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<ClusterNode> _nodes;
    private readonly RaftChecker _raft = new();
    private readonly Thread _thread;
    private volatile bool _stopping;

    public ClusterWatcher(IReadOnlyList<ClusterNode> nodes)
    {
        _nodes = nodes;
        _thread = new Thread(Run) { Name = "watcher", IsBackground = true };
        _thread.Start();
    }

    /// <summary>How many answers were judged.</summary>
    public int Answers { get; private set; }

    /// <summary>What was found; null when all is well.</summary>
    public string? Finding { get; private set; }

    public void Stop()
    {
        _stopping = true;
        _thread.Join();
    }

    /// <summary>An answer of <c>GET /v1/cluster</c>; throws <see cref="PropertyViolatedException"/> for what must not be.</summary>
    public static void Judge(RaftChecker raft, ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        var node = new NodeId(document.RootElement.GetProperty("nodeId").GetInt32());
        foreach (JsonElement shard in document.RootElement.GetProperty("shards").EnumerateArray())
        {
            var id = new ShardId(shard.GetProperty("id").GetUInt16());
            if (shard.GetProperty("role").GetString() == "leader") raft.Leads(id, shard.GetProperty("term").GetInt64(), node);
            if (!shard.TryGetProperty("stateHash", out JsonElement hash)) continue;
            ulong state = ulong.Parse(hash.GetProperty("hash").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            raft.Applied(id, node, hash.GetProperty("index").GetInt64(), state);
        }
    }

    private void Run()
    {
        while (!_stopping)
        {
            foreach (ClusterNode node in _nodes)
            {
                if (!node.TryGet("/v1/cluster", out byte[] body)) continue;
                Answers++;
                Judge(body);
            }

            Thread.Sleep(Gap);
        }
    }

    private void Judge(byte[] body)
    {
        try
        {
            Judge(_raft, body);
        }
        catch (PropertyViolatedException violated)
        {
            Finding ??= violated.Message;
        }
    }
}
