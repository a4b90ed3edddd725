using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Fetches what this node lacks of a checkpoint when the leader's log begins behind ours: one <see cref="ShardTransfer"/> at a
/// time for each shard, beside everything else. Replica loop, but for <see cref="StopAsync"/>.
/// </summary>
internal sealed class StateTransfer(NodeShared node, CheckpointLoop checkpoints, CheckpointFiles files, ITransferClient client)
{
    private const long RetryMicroseconds = 1_000_000;
    private const long MendAgainMicroseconds = 10_000_000;
    private const int MostDamaged = 4_096;

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<ShardId, ShardTransfer> _running = [];
    private readonly Dictionary<ShardId, long> _notBefore = [];
    private readonly Dictionary<ShardId, HashSet<PageName>> _damaged = [];
    private readonly Dictionary<ShardId, PageMending> _mending = [];
    private readonly Dictionary<ShardId, long> _mendNotBefore = [];

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
            node.Log.Info($"shard {shard.Shard}: a checkpoint at or above {needed.Index} is needed, node {needed.From} leads");
            transfer = new ShardTransfer(node, checkpoints, files, client, shard.Apply, _stopping.Token);
            lock (_gate) _running.Add(shard.Shard, transfer);
        }

        transfer.Want(needed.Index, InOrder(connected, needed.From), nowMicroseconds);
    }

    /// <summary>Pages of the own newest checkpoint are damaged: they are fetched from whoever has them.</summary>
    public void Mend(ShardId shard, PageName[] pages)
    {
        HashSet<PageName> damaged = _damaged.TryGetValue(shard, out HashSet<PageName>? known) ? known : _damaged[shard] = [];
        foreach (PageName page in pages)
        {
            // More than that is no matter of single pages: the next start reads all, and takes over a peer's checkpoint.
            if (damaged.Count < MostDamaged) damaged.Add(page);
        }
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

        if (_damaged.Count > 0) SweepDamaged(nowMicroseconds, peers);
    }

    /// <summary>One attempt after the other for each shard; what nobody had is asked for again later, as long as the newest checkpoint has it.</summary>
    private void SweepDamaged(long nowMicroseconds, PeerTable peers)
    {
        foreach (PageMending mending in _mending.Values.Where(each => each.IsOver).ToList())
        {
            lock (_gate) _mending.Remove(mending.Shard);
            if (mending.Failure is { } failure) throw new InvalidOperationException("mending a checkpoint failed", failure);
            if (mending.Left.Count == 0) continue;
            Mend(mending.Shard, [.. mending.Left]);
            _mendNotBefore[mending.Shard] = nowMicroseconds + MendAgainMicroseconds;
        }

        foreach ((ShardId shard, HashSet<PageName> pages) in _damaged)
        {
            bool waits = _mendNotBefore.TryGetValue(shard, out long time) && nowMicroseconds < time;
            if (pages.Count == 0 || waits || _mending.ContainsKey(shard) || _stopping.IsCancellationRequested) continue;
            List<NodeId> connected = peers.ConnectedPeers();
            connected.Sort();
            var mending = new PageMending(node, files, client, shard, [.. pages], [.. connected], _stopping.Token);
            pages.Clear();
            lock (_gate) _mending.Add(shard, mending);
            checkpoints.Post(mending);
        }
    }

    /// <summary>
    /// The node stops; completes when nothing is fetched any more. Any thread. What waits for a peer ends within this call, so that a
    /// simulation stays in its thread.
    /// </summary>
    public Task StopAsync()
    {
        _stopping.Cancel();
        lock (_gate) return Task.WhenAll([.. _running.Values.Select(transfer => transfer.Fetching), .. _mending.Values.Select(each => each.Begun)]);
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
