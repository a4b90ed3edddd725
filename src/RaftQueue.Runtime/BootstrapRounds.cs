using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// The first start of a cluster: a node without a log takes part only once every configured member has answered that it
/// is blank too, with the same ClusterId, Shards and members. All then know the same first membership, incarnations and
/// all, and the elected leader writes it as entry 1. A member that comes late simply receives that entry. Replica loop.
/// </summary>
internal sealed class BootstrapRounds
{
    private const long AskMicroseconds = 100_000;

    private readonly NodeShared _node;
    private readonly CheckpointFiles _files;
    private readonly ulong _membersDigest;
    private readonly Dictionary<NodeId, BootstrapAnswer> _answers = [];
    private readonly bool[] _blank;
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);
    private long _askedAt = long.MinValue / 2;

    public BootstrapRounds(NodeShared node, CheckpointFiles files, IEnumerable<bool> blankShards)
    {
        _files = files;
        _node = node;
        _blank = [.. blankShards];
        _membersDigest = BootstrapAnswer.DigestOf(node.Options.Members.Select(member => new PeerAddress(member.Id, member.Peer)));
    }

    /// <summary>Any thread: what this node answers when asked.</summary>
    public BootstrapAnswer Answer()
    {
        lock (_blank)
        {
            return new BootstrapAnswer
            {
                Incarnation = _node.Incarnation,
                ClusterId = _node.Options.ClusterId,
                Shards = _node.Options.Shards,
                MembersDigest = _membersDigest,
                BlankShards = [.. _blank],
            };
        }
    }

    public void Answered(NodeId peer, BootstrapAnswer answer) => _answers[peer] = answer;

    /// <summary>What a closed connection told may be outdated.</summary>
    public void Forget(NodeId peer) => _answers.Remove(peer);

    /// <summary>Asks and decides while any shard still waits for its beginning.</summary>
    public void Sweep(ReplicaLoop loop, long nowMicroseconds)
    {
        bool waiting = false;
        foreach (ShardReplica shard in loop.Shards)
        {
            NoteBlank(shard);
            if (shard.Raft.Membership is not null || !IsBlank(shard.Shard)) continue;
            waiting = true;
            if (AllAreBlank(shard.Shard)) Begin(loop, shard, nowMicroseconds);
        }

        if (!waiting || nowMicroseconds - _askedAt < AskMicroseconds) return;
        _askedAt = nowMicroseconds;
        foreach (NodeId peer in loop.Peers.ConnectedPeers())
        {
            _node.Network.Send(peer, FrameKind.BootstrapAsk, default, urgent: true, default);
        }
    }

    private bool IsBlank(ShardId shard)
    {
        lock (_blank) return _blank[shard.Value];
    }

    private void NoteBlank(ShardReplica shard)
    {
        if (shard.Raft.LastIndex == LogIndex.Zero) return;
        lock (_blank) _blank[shard.Shard.Value] = false;
    }

    private bool AllAreBlank(ShardId shard)
    {
        foreach (MemberOptions member in _node.Options.Members)
        {
            if (member.Id == _node.Self) continue;
            if (!_answers.TryGetValue(member.Id, out BootstrapAnswer? answer)) return false;
            if (answer.MembersDigest != _membersDigest)
            {
                if (_warned.Add($"members of {member.Id}"))
                {
                    _node.Log.Error($"Members differs between this node and node {member.Id}: the cluster cannot begin");
                }

                return false;
            }

            if (answer.ClusterId != _node.Options.ClusterId || answer.Shards != _node.Options.Shards) return false;
            if (!answer.BlankShards[shard.Value]) return false;
        }

        return true;
    }

    private void Begin(ReplicaLoop loop, ShardReplica shard, long nowMicroseconds)
    {
        var voters = new List<MemberInfo>();
        foreach (MemberOptions member in _node.Options.Members)
        {
            Incarnation incarnation = member.Id == _node.Self ? _node.Incarnation : _answers[member.Id].Incarnation;
            voters.Add(new MemberInfo(member.Id, incarnation, member.Peer, member.Http));
        }

        var membership = new MembershipRecord(voters);
        try
        {
            // Durable before anybody votes: a crash before the first entry must not leave members that never knew each other.
            BootstrapFile.Write(_files, shard.Shard, membership);
        }
        catch (DiskException exception) when (exception.IsDiskFull)
        {
            // Nobody knows of it yet: tried again at the next sweep, until there is room.
            if (_warned.Add("disk full")) _node.Log.Error($"shard {shard.Shard}: the disk is full: the cluster cannot begin", exception);
            return;
        }

        _node.Log.Info($"shard {shard.Shard}: all {voters.Count} members are blank; the cluster begins");
        shard.Raft.Bootstrap(membership, nowMicroseconds / 1000);
        loop.MembershipChanged();
    }
}
