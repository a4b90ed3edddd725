using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Storage;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// The loop that runs consensus for all shards of a node. It never waits for a disk, for apply or for a peer: everything
/// comes in as an input and goes out as an effect, so that its heartbeats tell the truth about it.
/// </summary>
internal sealed class ReplicaLoop(NodeShared node) : ILoopBody
{
    private const long SweepMicroseconds = 25_000;
    private const long NamedMicroseconds = 1_000_000;

    private readonly Inbox<IReplicaInput> _inbox = new();
    private readonly PeerOutbox _outbox = new(node);
    private ShardReplica[] _shards = [];
    private readonly PooledBuffer _buffer = new();
    private long _sweptAt;
    private long _namedAt;
    private bool _membershipChanged = true;
    private bool _logWritten;

    public ILoopHandle? Handle { get; set; }

    public WriteAheadLog Wal => node.Wal;

    public ILoopHandle? WalHandle { get; set; }

    public PeerTable Peers { get; } = new(node);

    public ApplyWatch ApplyWatch { get; } = new(node);

    public StateTransfer Transfers { get; set; } = null!;

    public BootstrapRounds Bootstrap { get; set; } = null!;

    public RequestDesk Requests { get; set; } = null!;

    /// <summary>Set while the node stops.</summary>
    public NodeStop? Stopping { get; set; }

    public StateHashWatch Hashes { get; set; } = null!;

    public IReadOnlyList<ShardReplica> Shards => _shards;

    /// <summary>Before the loop starts.</summary>
    public void Use(ShardReplica[] shards) => _shards = shards;

    public ShardReplica Shard(ShardId shard) => _shards[shard.Value];

    /// <summary>The incarnation under which a peer is connected, or null.</summary>
    public Incarnation? IncarnationOf(NodeId peer) => Peers.HandshakeOf(peer)?.Incarnation;

    /// <summary>
    /// Any thread: a membership that this node holds names it. Not so on a first start, and for a wiped node that was not swapped
    /// in yet, whatever entries it may have received.
    /// </summary>
    public bool NamesItself => Array.Exists(
        _shards, shard => shard.Link.View?.Membership?.Names(node.Self, node.Incarnation) == true);

    /// <summary>Any thread.</summary>
    public void Post(IReplicaInput input)
    {
        _inbox.Add(input);
        Handle?.Wake();
    }

    public void Send(Message message) => _outbox.Add(message);

    public void LogWritten() => _logWritten = true;

    public void MembershipChanged() => _membershipChanged = true;

    /// <summary>
    /// A blank node under an incarnation that a shard's membership does not name was wiped: the leader swaps it in by itself. So it
    /// does where another shard has taken that incarnation in already: the node is not blank any more, but here it is still missing.
    /// </summary>
    public void NoticeIncarnation(NodeId peer, Handshake theirs, long nowMicroseconds)
    {
        if (!theirs.Blank && !IsNamedAnywhere(peer, theirs.Incarnation)) return;
        MemberInfo info = InfoOf(peer, theirs);
        foreach (ShardReplica shard in _shards)
        {
            if (shard.Raft.Membership is not { } membership || membership.Names(peer, theirs.Incarnation)) continue;
            shard.Raft.PeerIncarnation(peer, theirs.Incarnation, info, nowMicroseconds / 1000);
        }
    }

    public long RunOnce()
    {
        long now = node.Clock.MonotonicMicroseconds;
        LoopMeter meter = node.ReplicaMeter;
        meter.Begin(LoopPhase.Inputs);
        foreach (IReplicaInput input in _inbox.TakeAll()) input.Run(this, now);
        meter.Enter(LoopPhase.Consensus);
        bool sweep = now - _sweptAt >= SweepMicroseconds;
        if (sweep)
        {
            _sweptAt = now;
            ApplyWatch.Sweep(_shards, now);
        }

        foreach (ShardReplica shard in _shards)
        {
            if (sweep) shard.Sweep(now);
            shard.Advance(now);
        }

        if (_logWritten)
        {
            _logWritten = false;
            WalHandle?.Wake();
        }

        meter.Enter(LoopPhase.Sends);
        _outbox.Flush();
        meter.Enter(LoopPhase.Housekeeping);
        if (_membershipChanged)
        {
            _membershipChanged = false;
            Peers.Follow(_shards);
        }

        if (sweep)
        {
            Bootstrap.Sweep(this, now);
            NoticeIncarnations(now);
            Hashes.Sweep(this, now);
            Transfers.Sweep(now, Peers);
            Publish();
            if (now - _namedAt >= NamedMicroseconds) SayNames(now);
            Stopping?.Sweep(this, now);
        }

        long next = NextDeadline(now);
        meter.End();
        return next;
    }

    private void Publish()
    {
        foreach (ShardReplica shard in _shards) shard.Link.View = shard.Describe();
    }

    /// <summary>
    /// A wiped node holds the entry that names it in a log that goes another way than the leader's: that entry is lost, or will
    /// be. Until it is swapped in its log is not brought in line either, because nobody counts what a stranger answers.
    /// </summary>
    public void SaysItsName(ShardReplica shard, NodeId peer, Term term, LogIndex index, long nowMicroseconds)
    {
        if (!shard.Raft.LeaderReady || Peers.HandshakeOf(peer) is not { } theirs) return;
        if (shard.Raft.Membership is not { } membership || membership.Names(peer, theirs.Incarnation)) return;
        // Before the first entry here it may have been committed long ago: a node that was replaced, back from the dead.
        bool mayBeCommitted = index > LogIndex.Zero && index <= shard.Raft.LastIndex
            && (Wal.Log(shard.Shard).TermAt(index) is not { } known || known == term);
        if (mayBeCommitted) return;
        shard.Raft.PeerIncarnation(peer, theirs.Incarnation, InfoOf(peer, theirs), nowMicroseconds / 1000);
    }

    /// <summary>Tells the leaders what <see cref="SaysItsName"/> needs; repeated, because frames are lost and leaders change.</summary>
    private void SayNames(long now)
    {
        _namedAt = now;
        foreach (ShardReplica shard in _shards)
        {
            if (shard.Raft.Leader.IsNone || shard.Raft.Leader == node.Self || shard.Raft.Membership is not { } membership) continue;
            bool named = membership.Names(node.Self, node.Incarnation);
            LogIndex index = named ? shard.Raft.MembershipIndex : LogIndex.Zero;
            if (named && shard.Raft.CommitIndex >= index) continue;
            Term term = named ? Wal.Log(shard.Shard).TermAt(index) ?? Term.Zero : Term.Zero;
            _buffer.Clear();
            ForwardCodec.WriteKind(_buffer, ForwardKind.Named);
            ForwardCodec.WriteUInt64(_buffer, (ulong)term.Value);
            ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
            node.Network.Send(shard.Raft.Leader, FrameKind.Forward, shard.Shard, urgent: true, _buffer.WrittenSpan);
        }
    }

    private static MemberInfo InfoOf(NodeId peer, Handshake theirs) =>
        new(peer, theirs.Incarnation, theirs.PeerAddress, theirs.HttpAddress);

    private void NoticeIncarnations(long now)
    {
        // Repeated, because whoever leads now may not have led when the wiped node connected.
        foreach (NodeId peer in Peers.ConnectedPeers())
        {
            if (Peers.HandshakeOf(peer) is { } handshake) NoticeIncarnation(peer, handshake, now);
        }
    }

    private bool IsNamedAnywhere(NodeId peer, Incarnation incarnation)
    {
        foreach (ShardReplica shard in _shards)
        {
            if (shard.Raft.Membership?.Names(peer, incarnation) == true) return true;
        }

        return false;
    }

    private long NextDeadline(long now)
    {
        long next = _sweptAt + SweepMicroseconds;
        foreach (ShardReplica shard in _shards) next = Math.Min(next, shard.NextDeadline(now));
        return next;
    }
}
