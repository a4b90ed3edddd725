using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The follower's half of replication: takes what the leader of the term sends, and acknowledges what is known to match the
/// leader's log and is durable here, never more.
/// </summary>
internal sealed class Following(NodeState state, Messages messages)
{
    private NodeId _leader;
    private LogIndex _matching;
    private LogIndex _acknowledged;
    private LogIndex _leaderCommit;
    private ulong _round;

    /// <summary>What the leader of this term said is committed; zero before its first message.</summary>
    public LogIndex LeaderCommit => _leaderCommit;

    /// <summary>Another term began: nothing is known yet about its leader's log.</summary>
    public void TermStarted()
    {
        _leader = NodeId.None;
        _matching = LogIndex.Zero;
        _acknowledged = LogIndex.Zero;
        _leaderCommit = LogIndex.Zero;
        _round = 0;
    }

    public void HandleAppend(Message message)
    {
        Note(message);
        if (!IsWellFormed(message)) return;
        LogIndex previous = message.Index;
        bool matches = previous < state.CommitIndex || state.Log.TermAt(previous) == message.LogTerm;
#if PLANTED_BUGS
        matches |= PlantedBugs.Has(PlantedBug.MismatchTakenForMatch) && previous <= state.Log.LastIndex;
#endif
        if (!matches)
        {
            Reject(message);
            return;
        }

        if (!TakeEntries(message.Entries)) return;
        Matches(LogIndex.Max(previous + message.Entries.Count, state.CommitIndex));
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.MatchBeyondPrefix)) Matches(state.Log.LastIndex);
        if (PlantedBugs.Has(PlantedBug.AcknowledgedBeforeSync)) Acknowledge();
#endif
        if (previous + message.Entries.Count <= state.Log.Durable) Acknowledge();
    }

    public void HandleHeartbeat(Message message)
    {
        Note(message);
        bool matches = message.Index <= state.CommitIndex || state.Log.TermAt(message.Index) == message.LogTerm;
        if (matches) Matches(message.Index);
        else Reject(message);
        if (message.Context > 0) messages.HeartbeatReply(message.From, message.Context);
    }

    public void HandleCheckpointOffer(Message message)
    {
        Note(message);
        bool held = message.Index <= state.CommitIndex || state.Log.TermAt(message.Index) == message.LogTerm;
        if (held)
        {
            Matches(LogIndex.Max(message.Index, state.CommitIndex));
            if (message.Index <= state.Log.Durable) Acknowledge();
            return;
        }

        CheckpointNeeded? asked = state.Effects.Checkpoint;
        if (asked is null || asked.Value.From != message.From || asked.Value.Index < message.Index)
        {
            state.Effects.Checkpoint = new CheckpointNeeded(message.From, message.Index);
        }
    }

    /// <summary>More of the own log is durable: what waited for it is acknowledged.</summary>
    public void Persisted()
    {
        if (!_leader.IsNone && LogIndex.Min(_matching, state.Log.Durable) > _acknowledged) Acknowledge();
    }

    /// <summary>A checkpoint is installed: everything it covers is committed and so stands in the leader's log.</summary>
    public void CheckpointInstalled(LogIndex index)
    {
        if (_leader.IsNone) return;
        Matches(index);
        Acknowledge();
    }

    private void Note(Message message)
    {
        Invariant.That(_leader.IsNone || _leader == message.From, "a term has one leader");
        _leader = message.From;
        if (message.Context > _round) _round = message.Context;
        _leaderCommit = LogIndex.Max(_leaderCommit, message.Commit);
    }

    private void Matches(LogIndex index)
    {
        _matching = LogIndex.Max(_matching, index);
        Commit();
    }

    private void Commit() => state.Commit(LogIndex.Min(_leaderCommit, _matching));

    private void Acknowledge()
    {
        LogIndex match = LogIndex.Min(_matching, state.Log.Durable);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.AcknowledgedBeforeSync)) match = _matching;
#endif
        _acknowledged = LogIndex.Max(_acknowledged, match);
        messages.AppendReply(_leader, match, _round);
    }

    /// <summary>
    /// Skips what is held already, overwrites only from the first real conflict on. False when an overwrite has to wait for an
    /// earlier one to be durable: the leader sends again.
    /// </summary>
    private bool TakeEntries(IReadOnlyList<LogEntry> entries)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.LateAppendTruncates)) return TakeBlindly(entries);
#endif
        bool appending = false;
        foreach (LogEntry entry in entries)
        {
            if (!appending)
            {
                if (entry.Index <= state.CommitIndex || state.Log.TermAt(entry.Index) == entry.Term) continue;
                if (entry.Index <= state.Log.LastIndex && !state.Log.MayTruncate) return false;
                Invariant.That(entry.Index > _matching, "what matches the leader of the term is not overwritten in it");
                appending = true;
            }

            state.Append(entry);
        }

        return true;
    }

#if PLANTED_BUGS
    private bool TakeBlindly(IReadOnlyList<LogEntry> entries)
    {
        foreach (LogEntry entry in entries)
        {
            if (entry.Index <= state.CommitIndex) continue;
            if (entry.Index <= state.Log.LastIndex && !state.Log.MayTruncate) return false;
            state.Append(entry);
        }

        return true;
    }

#endif
    /// <summary>Says where the logs may still match, a term at a time (Raft thesis 3.5, its last paragraph).</summary>
    private void Reject(Message message)
    {
        Invariant.That(message.Index > state.CommitIndex, "what is committed stands in every later leader's log");
        LogIndex before = LogIndex.Min(message.Index.Previous, state.Log.LastIndex);
        LogIndex hint = state.Log.LastPossibleMatch(before, message.LogTerm, state.CommitIndex);
        Term? term = state.Log.TermAt(hint);
        Invariant.That(term is not null, "the term at or above the commit index is known");
        messages.AppendRejection(message.From, message.Index, hint, term.Value, _round);
    }

    private bool IsWellFormed(Message message)
    {
        LogIndex at = message.Index;
        Term term = message.LogTerm;
        if (at.Value < 0 || term > message.Term) return false;
        foreach (LogEntry entry in message.Entries)
        {
            at = at.Next;
            if (entry.Index != at || entry.Header.Shard != state.Options.Shard) return false;
            if (entry.Term < term || entry.Term > message.Term) return false;
            term = entry.Term;
        }

        return true;
    }
}
