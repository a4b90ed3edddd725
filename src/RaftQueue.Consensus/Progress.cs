using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>What a leader knows about one follower or learner.</summary>
internal sealed class Progress(MemberInfo member, LogIndex next)
{
    private readonly Queue<(LogIndex Last, long Bytes)> _inflight = new();
    private LogIndex _waitedFor;
    private LogIndex _matchAtBeat;
    private bool _probingAtBeat;

    public NodeId Id { get; } = member.Id;

    public Incarnation Incarnation { get; } = member.Incarnation;

    public ProgressState State { get; private set; } = ProgressState.Probe;

    /// <summary>The log is known to be durable there and the same as ours up to here.</summary>
    public LogIndex Match { get; private set; }

    /// <summary>The next entry to send.</summary>
    public LogIndex Next { get; private set; } = next;

    /// <summary>The newest commit index that was sent to it.</summary>
    public LogIndex ToldCommit { get; set; }

    /// <summary>Probing: one Append is on its way; the next follows its reply or the next heartbeat.</summary>
    public bool ProbeSent { get; set; }

    /// <summary>The newest read round that the peer has answered.</summary>
    public ulong Round { get; private set; }

    /// <summary>Heard from in the running check-quorum window.</summary>
    public bool Active { get; set; }

    /// <summary>As it said last: it answers, and its disk stores nothing.</summary>
    public bool LogHangs { get; set; }

    /// <summary>As it said last: it should not lead.</summary>
    public bool IsUnfit { get; set; }

    /// <summary>As it said last: so long its apply loop has stood still in its work.</summary>
    public long ApplyStuckMs { get; private set; }

    /// <summary>When it said that, monotonic milliseconds; -1 before.</summary>
    public long ToldApplyMs { get; private set; } = -1;

    /// <summary>Nothing of what is on its way was answered between the last two heartbeats: it may be lost.</summary>
    public bool Stalled { get; set; }

    /// <summary>Monotonic milliseconds; -1 before the first reply.</summary>
    public long LastHeardMs { get; private set; } = -1;

    /// <summary>When it last stored something new; -1 before.</summary>
    public long StoredMs { get; private set; } = -1;

    /// <summary>Bytes of entries sent and not acknowledged.</summary>
    public long InflightBytes { get; private set; }

    public bool WindowFull(RaftOptions options) =>
        InflightBytes >= options.MaxInflightBytes || _inflight.Count >= options.MaxInflightMessages;

    public void Heard(ulong round, long nowMs)
    {
        Active = true;
        LastHeardMs = nowMs;
        if (round > Round) Round = round;
    }

    public void TellsApply(long stuckMs, long nowMs)
    {
        ApplyStuckMs = stuckMs;
        ToldApplyMs = nowMs;
    }

    /// <summary>A heartbeat is sent: notices when what was on its way at the last one is still not answered.</summary>
    public void Beat()
    {
        bool probing = State == ProgressState.Probe && ProbeSent;
        bool silent = State == ProgressState.Replicate && _waitedFor > Match && _matchAtBeat == Match;
        Stalled = silent || (probing && _probingAtBeat);
        _probingAtBeat = probing;
        _waitedFor = Next.Previous;
        _matchAtBeat = Match;
    }

    /// <summary>Entries up to <paramref name="last"/> have left.</summary>
    public void Sent(LogIndex last, long bytes)
    {
        if (State == ProgressState.Replicate)
        {
            Next = last.Next;
            _inflight.Enqueue((last, bytes));
            InflightBytes += bytes;
        }
        else
        {
            ProbeSent = true;
        }
    }

    /// <summary>
    /// The peer holds our log durably through <paramref name="match"/>. False when that is no news and changes nothing.
    /// </summary>
    public bool Acknowledge(LogIndex match, LogIndex firstSendable, long nowMs)
    {
        bool news = match > Match;
        if (news)
        {
            Match = match;
            StoredMs = nowMs;
        }

        switch (State)
        {
            case ProgressState.Probe when match >= Next.Previous:
            case ProgressState.Checkpoint when Match.Next >= firstSendable:
                BecomeReplicate();
                return true;
            case ProgressState.Replicate:
                while (_inflight.TryPeek(out (LogIndex Last, long Bytes) oldest) && oldest.Last <= match)
                {
                    InflightBytes -= oldest.Bytes;
                    _inflight.Dequeue();
                }

                Next = LogIndex.Max(Next, Match.Next);
                return news;
            default:
                return news;
        }
    }

    /// <summary>
    /// The peer does not hold the entry at <paramref name="rejected"/> that preceded an Append. False when the rejection is older
    /// than what is known. <paramref name="possible"/> is the last entry that may match.
    /// A peer that answers a probe of entries that it once acknowledged with a rejection has lost them (a damaged log that waits
    /// for its vote floor): what is known of it falls back, what is committed does not.
    /// </summary>
    public bool Refuse(LogIndex rejected, LogIndex possible)
    {
        switch (State)
        {
            case ProgressState.Replicate when rejected >= Match && rejected < Next:
                BecomeProbe(Match.Next);
                return true;
            case ProgressState.Probe when rejected == Next.Previous && rejected.Value > 0:
                Next = LogIndex.Max(LogIndex.Min(possible.Next, rejected), new LogIndex(1));
                _probingAtBeat = false;
                Match = LogIndex.Min(Match, Next.Previous);
                ProbeSent = false;
                return true;
            default:
                return false;
        }
    }

    public void BecomeProbe(LogIndex next)
    {
        State = ProgressState.Probe;
        Next = next;
        ProbeSent = false;
        ClearWindow();
    }

    public void BecomeCheckpoint()
    {
        State = ProgressState.Checkpoint;
        ClearWindow();
    }

    private void BecomeReplicate()
    {
        State = ProgressState.Replicate;
        Next = Match.Next;
        ProbeSent = false;
        ClearWindow();
    }

    private void ClearWindow()
    {
        _inflight.Clear();
        InflightBytes = 0;
    }
}
