using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// Looks into every node after every step (P10): one leader a term; what was applied at an index is the same entry on every
/// node for ever; equal index means equal state hash; and cluster time is never ahead of the true time (P5).
/// </summary>
internal sealed class ClusterWatch
{
    /// <summary>How far rounding to milliseconds may bring a stamp ahead.</summary>
    private const long StampToleranceMs = 2;

    private readonly SimulatedCluster _cluster;
    private readonly Dictionary<(int Shard, long Term), NodeId> _leaders = [];
    private readonly Dictionary<(int Shard, long Index), ulong> _hashes = [];
    private readonly SortedDictionary<long, LogEntry>[] _log;
    private readonly Dictionary<Node, long[]> _seen = [];
    private readonly List<LogEntry> _read = [];
    private readonly MembershipWatch _memberships = new();

    public ClusterWatch(SimulatedCluster cluster, int shards)
    {
        _cluster = cluster;
        _log = [.. Enumerable.Range(0, shards).Select(_ => new SortedDictionary<long, LogEntry>())];
    }

    /// <summary>Applied entries in all.</summary>
    public int Entries => _log.Sum(log => log.Count);

    public long StampOf(ShardId shard, LogIndex index) => _log[shard.Value][index.Value].Header.TimestampMs;

    /// <summary>Every node has held the first entry of every shard.</summary>
    public bool ClusterHasBegun => _memberships.HasBegun(_cluster.Nodes.Count, _log.Length);

    public void AfterStep()
    {
        foreach (SimulatedNode node in _cluster.Nodes)
        {
            if (node.Node is not { } running) continue;
            Look(node.Id, running);
            _memberships.Look(node.Id, running);
        }
    }

    public void Forget(Node node) => _seen.Remove(node);

    /// <summary>All entries, applied once more to an empty state, give the state that the nodes have.</summary>
    public void CheckReplay(int shard, LogIndex index, ulong expected)
    {
        using PageStore pages = PageStore.Create(new PageStoreOptions());
        using JobStore store = JobStore.Create(pages, new ShardId((ushort)shard));
        using var output = new ApplyOutput();
        for (long at = 1; at <= index.Value; at++)
        {
            Require.That(_log[shard].TryGetValue(at, out LogEntry? entry), $"entry {at} of shard {shard} was seen on some node");
            output.Clear();
            store.Apply(entry.Header, entry.Bytes.Span, output);
        }

        Require.That(expected == store.StateHash, $"P10: shard {shard}: the log replayed to {index} gives another state hash");
    }

    private void Look(NodeId id, Node node)
    {
        if (!_seen.TryGetValue(node, out long[]? seen)) _seen.Add(node, seen = new long[_log.Length]);
        foreach (ShardReplica replica in node.Parts.Replica.Shards)
        {
            int shard = replica.Shard.Value;
            if (replica.Raft.Role == Role.Leader) NoteLeader(id, shard, replica.Raft.Term);
            (LogIndex index, ulong hash) = replica.Link.StateHash;
            if (index.Value <= seen[shard]) continue;
            if (!_hashes.TryAdd((shard, index.Value), hash))
            {
                Require.That(
                    _hashes[(shard, index.Value)] == hash, $"P10: node {id} has another state hash at index {index} of shard {shard}");
            }

            NoteEntries(id, node, shard, seen[shard] + 1, index.Value);
            seen[shard] = index.Value;
        }
    }

    private void NoteLeader(NodeId id, int shard, Term term)
    {
        if (_leaders.TryAdd((shard, term.Value), id)) return;
        Require.That(_leaders[(shard, term.Value)] == id, $"P10: nodes {_leaders[(shard, term.Value)]} and {id} lead term {term} of shard {shard}");
    }

    private void NoteEntries(NodeId id, Node node, int shard, long from, long to)
    {
        IStoredLog log = node.Parts.Shared.Wal.Log(new ShardId((ushort)shard));
        long trueMs = _cluster.Clock.WallUnixMs;
        from = Math.Max(from, log.FirstIndex.Value);
        while (from <= to)
        {
            _read.Clear();
            if (log.Read(new LogIndex(from), new LogIndex(to), 4 << 20, _read) == 0) return;
            foreach (LogEntry entry in _read)
            {
                if (_log[shard].TryAdd(entry.Index.Value, entry))
                {
                    Require.That(
                        entry.Header.TimestampMs <= trueMs + StampToleranceMs,
                        $"P5: entry {entry.Index} of shard {shard} is stamped {entry.Header.TimestampMs - trueMs} ms ahead of time");
                    continue;
                }

                LogEntry known = _log[shard][entry.Index.Value];
                Require.That(
                    ReferenceEquals(known, entry) || known.Bytes.Span.SequenceEqual(entry.Bytes.Span),
                    $"P10: node {id} applied {entry} of shard {shard}, another node {known}");
            }

            from = _read[^1].Index.Value + 1;
        }
    }
}
