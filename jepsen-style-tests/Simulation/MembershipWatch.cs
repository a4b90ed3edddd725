using System.Runtime.InteropServices;
using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// P10, of memberships (Raft thesis 4.1 and the correction of its single-server changes): in effect is the newest in a node's log,
/// committed or not, none but the first begins a term, and a leader proposes none before the last one is committed.
/// </summary>
internal sealed class MembershipWatch(IReadOnlyList<CommittedLog> committed)
{
    private readonly Dictionary<(NodeId, ShardId), Seen> _seen = [];
    private readonly List<LogEntry> _tail = [];

    /// <summary>After every step, for every running node that did anything.</summary>
    public void Look(NodeId id, Node node)
    {
        foreach (ShardReplica replica in node.Parts.Replica.Shards)
        {
            RaftNode raft = replica.Raft;
            ref Seen seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, (id, replica.Shard), out _);
            if (seen.Replica != replica)
            {
                // What a life begins with is not read again: a disk may be made to fail a read, and the node itself shall meet it.
                seen = new Seen(replica, raft.LastIndex, raft.LastTerm, raft.LastIndex);
            }
            else if (seen.Last != raft.LastIndex || seen.Term != raft.LastTerm)
            {
                Check(id, node.Parts.Shared.Wal.Log(replica.Shard), raft, seen.Settled);
                CheckRecord(id, raft, committed[replica.Shard.Value]);
                seen = new Seen(replica, raft.LastIndex, raft.LastTerm, LogIndex.Max(seen.Settled, raft.CommitIndex));
            }
        }
    }

    private void Check(NodeId id, IStoredLog log, RaftNode raft, LogIndex settled)
    {
        LogIndex from = LogIndex.Max(settled.Next, log.FirstIndex);
        LogIndex newest = LogIndex.Zero;
        while (from <= raft.LastIndex)
        {
            _tail.Clear();
            if (log.Read(from, raft.LastIndex, 4 << 20, _tail) == 0) break;
            foreach (LogEntry entry in _tail)
            {
                if (entry.Membership is null) continue;
                bool isEarly = raft.Role == Role.Leader && entry.Term == raft.Term && newest > raft.CommitIndex;
                Require.That(!isEarly, $"P10: node {id}: the membership at {entry.Index} follows the one at {newest}, which is not committed");
                newest = entry.Index;
                bool beginsTerm = entry.Index.Value > 1 && log.TermAt(entry.Index.Previous) is { } before && before != entry.Term;
                Require.That(!beginsTerm, $"P10: node {id}: the membership at {entry.Index} is the first entry of term {entry.Term}");
            }

            from = _tail[^1].Index.Next;
        }

        LogIndex inEffect = raft.MembershipIndex;
        // That of a checkpoint stands at the checkpoint's index.
        bool right = inEffect == newest || (inEffect > newest && inEffect <= LogIndex.Max(raft.CommitIndex, settled));
        Require.That(right, $"P10: node {id}: the membership at {inEffect} is in effect, the newest in its log to {raft.LastIndex} is at {newest}");
    }

    /// <summary>What was truncated is not in effect any more, wherever the log has gone on since.</summary>
    private static void CheckRecord(NodeId id, RaftNode raft, CommittedLog committed)
    {
        if (raft.MembershipIndex > raft.CommitIndex || committed.MembershipAt(raft.MembershipIndex) is not { } record) return;
        Require.That(record.Equals(raft.Membership), $"P10: node {id}: in effect at {raft.MembershipIndex} is {raft.Membership}, committed is {record}");
    }

    /// <summary>Up to <see cref="Settled"/> nothing is looked at again.</summary>
    private readonly record struct Seen(ShardReplica Replica, LogIndex Last, Term Term, LogIndex Settled);
}
