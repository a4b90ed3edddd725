using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Pages of this node's own checkpoints that were found damaged: which they are, one <see cref="PageMending"/> after the other for each
/// shard, and how far it is. What nobody had is asked for again later, as long as the newest checkpoint has it. Replica loop, but for
/// <see cref="Begun"/>.
/// </summary>
internal sealed class DamagedPages(
    NodeShared node, CheckpointLoop checkpoints, CheckpointFiles files, ITransferClient client, CancellationToken stopping)
{
    private const long AgainMicroseconds = 10_000_000;
    private const int Most = 4_096;

    private readonly Lock _gate = new();
    private readonly Dictionary<ShardId, OfShard> _shards = [];

    /// <summary>These pages of a shard's newest checkpoint are damaged.</summary>
    public void Add(ShardId shard, ShardLink link, IEnumerable<PageName> pages)
    {
        OfShard? known;
        lock (_gate)
        {
            if (!_shards.TryGetValue(shard, out known)) _shards.Add(shard, known = new OfShard(shard, link));
        }

        foreach (PageName page in pages)
        {
            // More than that is no matter of single pages: the next start reads all, and takes over a peer's checkpoint.
            if (known.Pages.Count < Most) known.Pages.Add(page);
        }

        known.Tell();
    }

    /// <summary>Now and then: takes note of what is over, and begins what is due.</summary>
    public void Sweep(long nowMicroseconds, PeerTable peers)
    {
        foreach (OfShard shard in _shards.Values)
        {
            if (shard.Running is { IsOver: true } over) End(shard, over, nowMicroseconds);
            bool isDue = shard.Pages.Count > 0 && nowMicroseconds >= shard.NotBefore;
            if (isDue && shard.Running is null && !stopping.IsCancellationRequested) Begin(shard, peers);
            shard.Tell();
        }
    }

    /// <summary>What is under way, for who waits for its end. Any thread.</summary>
    public Task[] Begun()
    {
        lock (_gate) return [.. _shards.Values.Select(shard => shard.Running?.Begun ?? Task.CompletedTask)];
    }

    private void Begin(OfShard shard, PeerTable peers)
    {
        List<NodeId> connected = peers.ConnectedPeers();
        connected.Sort();
        var mending = new PageMending(node, files, client, shard.Shard, [.. shard.Pages], [.. connected], stopping);
        shard.Pages.Clear();
        lock (_gate) shard.Running = mending;
        checkpoints.Post(mending);
    }

    private void End(OfShard shard, PageMending over, long nowMicroseconds)
    {
        lock (_gate) shard.Running = null;
        if (over.Failure is { } failure) throw new InvalidOperationException("mending a checkpoint failed", failure);
        shard.Link.Mended(over.Mended);
        shard.Done += over.Mended;
        shard.Bytes += over.Bytes;
        if (over.Left.Count == 0) return;
        Add(shard.Shard, shard.Link, over.Left);
        shard.NotBefore = nowMicroseconds + AgainMicroseconds;
    }

    private sealed class OfShard(ShardId shard, ShardLink link)
    {
        private bool _isTold;

        public ShardId Shard => shard;

        public ShardLink Link => link;

        /// <summary>Damaged and nobody was asked for them yet, or again.</summary>
        public HashSet<PageName> Pages { get; } = [];

        /// <summary>Read by other threads.</summary>
        public PageMending? Running { get; set; }

        public long NotBefore { get; set; }

        public long Done { get; set; }

        public long Bytes { get; set; }

        public void Tell()
        {
            if (Pages.Count == 0 && Running is null)
            {
                if (_isTold) link.Mending = null;
                _isTold = false;
                Done = Bytes = 0;
                return;
            }

            _isTold = true;
            long done = Done + (Running?.Mended ?? 0);
            long open = Pages.Count + (Running?.Open ?? 0);
            string phase = Running is null ? "waiting" : "fetching";
            link.Mending = new MendingStatus(phase, Running?.From ?? NodeId.None, done, done + open, Bytes + (Running?.Bytes ?? 0));
        }
    }
}
