using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RaftQueue.Checkers;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// P10, of disks: what a node holds for durable is asked of its simulated disk, and not of the node. Entries that count as durable
/// stand on the medium, and so do a term and a vote before anybody is told of them, and all that a superblock leads to before it is
/// written; and what was stored is there after a start (docs/formats.md says where).
/// </summary>
internal sealed class DiskWatch
{
    private const int MostEntries = 16;
    private const int HardStateHeader = 24;
    private const int HardStateRow = 12;

    private static readonly string[] HardStates = ["/data/hardstate-a", "/data/hardstate-b"];

    private readonly SimulatedCluster _cluster;
    private readonly StoredChecker _stored = new();
    private readonly Dictionary<(NodeId, ShardId), Seen> _seen = [];
    private readonly Dictionary<(Incarnation, ShardId), (Term Term, NodeId Vote)> _promised = [];
    private readonly Dictionary<(NodeId, string Path, int Place), IReadOnlySet<long>> _unsyncedAtSuperblock = [];
    private readonly Dictionary<CheckpointFile, CheckpointState> _newest = [];

    public DiskWatch(SimulatedCluster cluster)
    {
        _cluster = cluster;
        foreach (SimulatedNode node in cluster.Nodes) Attach(node);
    }

    /// <summary>After every step, for every running node that did anything.</summary>
    public void Look(SimulatedNode node, Node running)
    {
        bool grew = false;
        foreach (ShardReplica replica in running.Parts.Replica.Shards)
        {
            ref Seen seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, (node.Id, replica.Shard), out _);
            if (seen.Replica != replica)
            {
                Attach(node);
                seen = new Seen(replica, LogIndex.Zero, LogIndex.Zero);
            }

            LookAtCheckpoint(node, running.Parts.Files[replica.Shard], running, replica.Shard);
            LogIndex durable = replica.Raft.DurableIndex;
            if (replica.Raft.Effects.LogRestart is not null || durable == seen.Durable) continue;
            bool isFirst = seen.Durable == LogIndex.Zero;
            grew |= LookAtEntries(node, running, replica.Shard, seen.Durable, durable) && !isFirst;
            seen = seen with { Durable = durable };
        }

        NoteStored(node, running, grew);
    }

    /// <summary>A node says something in a term, and perhaps that it voted.</summary>
    public void Promises(NodeId from, Incarnation life, ShardId shard, Term term, NodeId vote)
    {
        if (!_promised.TryGetValue((life, shard), out (Term Term, NodeId Vote) known)) known = default;
        if (known.Term == term && (vote.IsNone || vote == known.Vote)) return;
        SimulatedNode node = _cluster[from.Value];
        int whole = 0;
        foreach (string path in HardStates)
        {
            if (ReadHardState(node.Disk, path, shard) is not { } held) continue;
            whole++;
            bool has = held.Term > term || (held.Term == term && (vote.IsNone || held.Vote == vote));
            Require.That(has, $"P10: node {from} speaks in term {term} of shard {shard}{(vote.IsNone ? "" : $" and votes for {vote}")}, and the medium has term {held.Term} and vote {held.Vote} in {path}");
        }

        Require.That(whole == HardStates.Length || node.Damaged.HasFlag(DamagedParts.HardState), $"P10: node {from} speaks in term {term} of shard {shard}, and of its hard state the medium has {whole} whole copies");
        _promised[(life, shard)] = (term, vote.IsNone && known.Term == term ? known.Vote : vote);
    }

    /// <summary>A node has just been started: it holds what it had stored, or would not vote.</summary>
    public void Starts(SimulatedNode node)
    {
        foreach (ShardReplica shard in node.Node!.Parts.Replica.Shards)
            _stored.Starts(shard.Shard, node.Node.Parts.Shared.Incarnation, node.Id, shard.Raft.LastIndex.Value, shard.Raft.CanVote);
    }

    private static (Term Term, NodeId Vote)? ReadHardState(FakeDisk disk, string path, ShardId shard)
    {
        byte[] medium = disk.ReadMedium(path, 4096);
        if (medium.Length < HardStateHeader) return null;
        int shards = BinaryPrimitives.ReadInt32LittleEndian(medium.AsSpan(20));
        int covered = HardStateHeader + (shards * HardStateRow);
        bool whole = shards > shard.Value && covered + sizeof(uint) <= medium.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(medium.AsSpan(covered)) == Crc32C.Compute(medium.AsSpan(0, covered));
        if (!whole) return null;
        ReadOnlySpan<byte> row = medium.AsSpan(HardStateHeader + (shard.Value * HardStateRow));
        return (new Term(BinaryPrimitives.ReadInt64LittleEndian(row)), new NodeId(BinaryPrimitives.ReadInt32LittleEndian(row[8..])));
    }

    private void Attach(SimulatedNode node)
    {
        FakeDisk disk = node.Disk;
        foreach ((NodeId, string, int) old in _unsyncedAtSuperblock.Keys.Where(key => key.Item1 == node.Id).ToList()) _unsyncedAtSuperblock.Remove(old);
        disk.OnWrite = (path, offset) =>
        {
            int place = (int)(offset / PageStore.PageSize);
            if (place < Superblock.Places && path.EndsWith("/checkpoint", StringComparison.Ordinal))
                _unsyncedAtSuperblock[(node.Id, path, place)] = disk.UnsyncedPages(path);
        };
    }

    /// <summary>Whether an entry of the log came to be durable.</summary>
    private static bool LookAtEntries(SimulatedNode node, Node running, ShardId shard, LogIndex from, LogIndex to)
    {
        bool found = false;
        for (long at = Math.Max(from.Value + 1, to.Value - MostEntries + 1); at <= to.Value; at++)
        {
            if (running.Parts.Shared.Wal.PlaceOf(shard, new LogIndex(at)) is not { } place) continue;
            bool isDurable = place.Path is not null && node.Disk.IsDurable(place.Path, place.Offset, place.Bytes);
            Require.That(isDurable, $"P10: node {node.Id} holds entry {at} of shard {shard} for durable, and the medium does not have it at {place}");
            found = true;
        }

        return found;
    }

    /// <summary>
    /// What every start finds, or it finds that it is damaged: all in front of a sync mark, and in front of a batch that is durable itself,
    /// because its header says so.
    /// </summary>
    private void NoteStored(SimulatedNode node, Node running, bool grew)
    {
        bool isMarked = running.Parts.Shared.Wal.IsMarked;
        foreach (ShardReplica replica in running.Parts.Replica.Shards)
        {
            ref Seen seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, (node.Id, replica.Shard), out _);
            LogIndex proven = isMarked ? replica.Raft.DurableIndex : grew ? seen.Before : LogIndex.Zero;
            if (proven > LogIndex.Zero)
                _stored.Stores(replica.Shard, running.Parts.Shared.Incarnation, LogIndex.Min(proven, replica.Raft.CommitIndex).Value);
            if (grew) seen = seen with { Before = seen.Durable };
        }
    }

    private void LookAtCheckpoint(SimulatedNode node, CheckpointFile file, Node running, ShardId shard)
    {
        if (file.NewestState is not { } newest || _newest.GetValueOrDefault(file) == newest) return;
        _newest[file] = newest;
        string path = running.Parts.Shared.Options.DataDirectory + $"/shard-{shard.Value}/checkpoint";
        if (!_unsyncedAtSuperblock.TryGetValue((node.Id, path, newest.Place), out IReadOnlySet<long>? unsynced)) return;
        long? missing = unsynced.Where(page => newest.Map.Contains((uint)page)).Select(page => (long?)page).FirstOrDefault();
        Require.That(missing is null, $"P10: node {node.Id} wrote the superblock of shard {shard} at {newest.Superblock.Info.Index} before the medium had slot {missing}");
    }

    /// <param name="Replica">In one life.</param>
    /// <param name="Durable">As it was seen last.</param>
    /// <param name="Before">As it was when a batch was seen to become durable before.</param>
    private readonly record struct Seen(ShardReplica Replica, LogIndex Durable, LogIndex Before);
}
