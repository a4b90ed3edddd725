using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// One message between two nodes of a shard; one shape for all kinds, unused fields keep their defaults. From, To, Shard and
/// Term are always set. Not changed after it was handed out, except that the runtime stamps <see cref="WallUnixMs"/>.
/// </summary>
public sealed class Message
{
    public MessageKind Kind { get; init; }

    public ShardId Shard { get; init; }

    public NodeId From { get; init; }

    public NodeId To { get; init; }

    /// <summary>
    /// The sender's term; of PreVote, and of a PreVoteReply that grants, the term that the candidate would start.
    /// </summary>
    public Term Term { get; init; }

    /// <summary>
    /// Append: the entry before the first one. Heartbeat: the last entry that the receiver acknowledged. Votes: the candidate's
    /// last entry. AppendReply: the last entry that is durable and matches, or of a rejection the Index that was rejected. CheckpointOffer: what the leader's checkpoint covers.
    /// </summary>
    public LogIndex Index { get; init; }

    /// <summary>The term of the entry at <see cref="Index"/> in requests and CheckpointOffer.</summary>
    public Term LogTerm { get; init; }

    /// <summary>The leader's commit index (Append, Heartbeat).</summary>
    public LogIndex Commit { get; init; }

    /// <summary>Replies: the answer is no. HeartbeatReply: the sender's log hangs, see <see cref="RaftNode.LogHangs"/>.</summary>
    public bool Reject { get; init; }

    /// <summary>Rejected Append: the follower's last entry that may match, with its term.</summary>
    public LogIndex HintIndex { get; init; }

    /// <summary>The term of the entry at <see cref="HintIndex"/>.</summary>
    public Term HintTerm { get; init; }

    /// <summary>Vote of a leadership transfer: leader stickiness does not apply.</summary>
    public bool Force { get; init; }

    /// <summary>HeartbeatReply: the sender should not lead, see <see cref="RaftNode.IsUnfit"/>.</summary>
    public bool Unfit { get; init; }

    /// <summary>
    /// HeartbeatReply: so long the sender's apply loop has stood still in its work, see <see cref="RaftNode.ApplyStuckSinceMs"/>; 0 while it
    /// moves or rests. Null: the sender is of a version that does not say.
    /// </summary>
    public long? ApplyStuckMs { get; init; }

    /// <summary>
    /// The leader's newest read round (Append, Heartbeat), echoed by replies. A Heartbeat with round 0 only tells the commit
    /// index and wants no reply.
    /// </summary>
    public ulong Context { get; init; }

    /// <summary>Append: the entries behind <see cref="Index"/>, contiguous. Never null.</summary>
    public IReadOnlyList<LogEntry> Entries { get; init; } = [];

    /// <summary>The sender's wall clock (Unix ms), stamped by the runtime when it sends; 0 inside this room.</summary>
    public long WallUnixMs { get; set; }

    /// <summary>
    /// The sender's incarnation, set by whoever received the frame (it stands in the frame's header, not in the message). A reply
    /// from an incarnation that the membership does not name counts for nothing: it must be set for replies, or an old voter's
    /// place would be taken by a blank node. Requests are taken from any incarnation: a node that is behind holds an old
    /// membership, which may not name the present leader's. None means that it was checked before.
    /// </summary>
    public Incarnation FromIncarnation { get; set; }
}
