namespace RaftQueue.Consensus;

/// <summary>What a <see cref="Message"/> is. The numbers are the wire's.</summary>
public enum MessageKind : byte
{
    PreVote = 1,
    PreVoteReply,
    Vote,
    VoteReply,
    Append,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    TimeoutNow,
    CheckpointOffer,
}
