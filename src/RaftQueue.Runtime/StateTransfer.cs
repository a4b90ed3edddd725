using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Fetches what this node lacks of a checkpoint when the leader's log begins behind ours: one <see cref="ShardTransfer"/> at a
/// time for each shard, beside everything else. Replica loop, but for <see cref="StopAsync"/>.
/// </summary>
internal sealed class StateTransfer
{
    private const long RetryMicroseconds = 1_000_000;

    private readonly NodeShared _node;
    private readonly CheckpointLoop _checkpoints;
    private readonly CheckpointFiles _files;
    private readonly ITransferClient _client;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<ShardId, ShardTransfer> _running = [];
    private readonly Dictionary<ShardId, long> _notBefore = [];

    public StateTransfer(NodeShared node, CheckpointLoop checkpoints, CheckpointFiles files, ITransferClient client)
    {
        _node = node;
        _checkpoints = checkpoints;
        _files = files;
        _client = client;
        Damaged = new DamagedPages(node, checkpoints, files, client, _stopping.Token);
    }

    /// <summary>Pages of the own checkpoints that are damaged, which are fetched beside.</summary>
    public DamagedPages Damaged { get; }

    /// <summary>
    /// Consensus needs a checkpoint; said again at every heartbeat until one is installed. A transfer that is under way hears of a
    /// newer index; one that waits for peers tries again.
    /// </summary>
    /// <param name="shard">Whose.</param>
    /// <param name="needed">At or above which index, by which leader.</param>
    /// <param name="connected">The peers that can be asked.</param>
    /// <param name="nowMicroseconds">Monotonic.</param>
    public void Need(ShardReplica shard, CheckpointNeeded needed, List<NodeId> connected, long nowMicroseconds)
    {
        if (!_running.TryGetValue(shard.Shard, out ShardTransfer? transfer))
        {
            if (_notBefore.TryGetValue(shard.Shard, out long time) && nowMicroseconds < time) return;
            _node.Log.Info($"shard {shard.Shard}: a checkpoint at or above {needed.Index} is needed, node {needed.From} leads");
            transfer = new ShardTransfer(_node, _checkpoints, _files, _client, shard.Apply, _stopping.Token);
            lock (_gate) _running.Add(shard.Shard, transfer);
        }

        transfer.Want(needed.Index, InOrder(connected, needed.From), nowMicroseconds);
    }

    /// <summary>Now and then: damaged pages, transfers that are over, or that nobody needs any more.</summary>
    public void Sweep(long nowMicroseconds, PeerTable peers)
    {
        foreach (ShardTransfer transfer in _running.Values.ToList())
        {
            transfer.Sweep(nowMicroseconds);
            if (!transfer.IsOver) continue;
            lock (_gate) _running.Remove(transfer.Shard);
            _notBefore[transfer.Shard] = nowMicroseconds + RetryMicroseconds;
            if (transfer.Failure is { } failure) throw new InvalidOperationException("receiving a checkpoint failed", failure);
        }

        Damaged.Sweep(nowMicroseconds, peers);
    }

    /// <summary>
    /// The node stops; completes when nothing is fetched any more. Any thread. What waits for a peer ends within this call, so that a
    /// simulation stays in its thread.
    /// </summary>
    public Task StopAsync()
    {
        _stopping.Cancel();
        lock (_gate) return Task.WhenAll([.. _running.Values.Select(transfer => transfer.Fetching), .. Damaged.Begun()]);
    }

    /// <summary>The leader last: it has enough to do.</summary>
    private static NodeId[] InOrder(List<NodeId> connected, NodeId leader)
    {
        connected.Remove(leader);
        connected.Sort();
        connected.Add(leader);
        return [.. connected];
    }
}
