using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// Builds outgoing messages and holds back those that promise what is not durable yet: a message speaks in a term only when that
/// term is durable here, and a vote is told only when it is.
/// </summary>
internal sealed class Messages(NodeState state)
{
    private readonly List<Message> _held = [];

    public void PreVote(NodeId to) => Send(new Message
    {
        Kind = MessageKind.PreVote,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term.Next,
        Index = state.Log.LastIndex,
        LogTerm = state.Log.LastTerm,
    });

    public void Vote(NodeId to, bool force) => Send(new Message
    {
        Kind = MessageKind.Vote,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = state.Log.LastIndex,
        LogTerm = state.Log.LastTerm,
        Force = force,
    });

    public void VoteReply(MessageKind kind, NodeId to, Term term, bool reject) => Send(new Message
    {
        Kind = kind,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = term,
        Reject = reject,
    });

    public void Append(NodeId to, LogIndex previous, Term previousTerm, IReadOnlyList<LogEntry> entries, ulong round) => Send(new Message
    {
        Kind = MessageKind.Append,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = previous,
        LogTerm = previousTerm,
        Entries = entries,
        Commit = state.CommitIndex,
        Context = round,
    });

    public void AppendReply(NodeId to, LogIndex match, ulong round) => Send(new Message
    {
        Kind = MessageKind.AppendReply,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = match,
        Context = round,
    });

    public void AppendRejection(NodeId to, LogIndex rejected, LogIndex hint, Term hintTerm, ulong round) => Send(new Message
    {
        Kind = MessageKind.AppendReply,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = rejected,
        Reject = true,
        HintIndex = hint,
        HintTerm = hintTerm,
        Context = round,
    });

    public void Heartbeat(NodeId to, ulong round, LogIndex match, Term matchTerm) => Send(new Message
    {
        Kind = MessageKind.Heartbeat,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = match,
        LogTerm = matchTerm,
        Commit = state.CommitIndex,
        Context = round,
    });

    public void HeartbeatReply(NodeId to, ulong round) => Send(new Message
    {
        Kind = MessageKind.HeartbeatReply,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Reject = state.LogHangs,
        Unfit = state.IsUnfit,
        ApplyStuckMs = state.ApplyStuckMs,
        Context = round,
    });

    public void TimeoutNow(NodeId to) => Send(new Message
    {
        Kind = MessageKind.TimeoutNow,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
    });

    public void CheckpointOffer(NodeId to) => Send(new Message
    {
        Kind = MessageKind.CheckpointOffer,
        Shard = state.Options.Shard,
        From = state.Self,
        To = to,
        Term = state.Term,
        Index = state.Log.CheckpointIndex,
        LogTerm = state.Log.CheckpointTerm,
    });

    /// <summary>Another term began: what was to be said in the old one is void.</summary>
    public void DropHeld() => _held.Clear();

    /// <summary>More is durable: sends what waited for it.</summary>
    public void ReleaseHeld()
    {
        int kept = 0;
        for (int i = 0; i < _held.Count; i++)
        {
            Message message = _held[i];
            if (MayLeave(message)) state.Effects.Messages.Add(message);
            else _held[kept++] = message;
        }

        _held.RemoveRange(kept, _held.Count - kept);
    }

    private void Send(Message message)
    {
        Invariant.That(message.To != state.Self, "a node does not write to itself");
        if (MayLeave(message))
        {
            state.Effects.Messages.Add(message);
            return;
        }

        // A newer one of a kind says all that an older one did, so what is held is bounded by kinds and peers.
        _held.RemoveAll(held => held.Kind == message.Kind && held.To == message.To);
        _held.Add(message);
    }

    private bool MayLeave(Message message) => message.Kind switch
    {
        MessageKind.PreVote or MessageKind.PreVoteReply => true,
#if PLANTED_BUGS
        MessageKind.VoteReply when !message.Reject && PlantedBugs.Has(PlantedBug.VoteBeforeDurable) => true,
        not MessageKind.VoteReply when PlantedBugs.Has(PlantedBug.TermBeforeDurable) => true,
#endif
        MessageKind.VoteReply when !message.Reject => state.Durable == new HardState(message.Term, message.To),
        _ => message.Term <= state.Durable.Term,
    };
}
