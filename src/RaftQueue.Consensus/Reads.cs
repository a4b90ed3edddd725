using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// ReadIndex (Raft thesis 6.4): a read is granted at the commit index of its arrival once a quorum has answered a heartbeat round
/// that was sent after it. Rounds are numbered within a leadership; an answer confirms its own and earlier rounds, never later ones.
/// </summary>
internal sealed class Reads(NodeState state)
{
    private readonly Queue<Pending> _pending = new();
    private ulong _roundGeneration;

    /// <summary>The newest round that was sent.</summary>
    public ulong Round { get; private set; }

    public int Count => _pending.Count;

    private ulong Confirmed { get; set; }

    /// <summary>A new leadership: its rounds begin after zero.</summary>
    public void Reset()
    {
        RefuseAll();
        Round = 0;
        Confirmed = 0;
    }

    /// <summary>Numbers the round that the caller broadcasts now.</summary>
    public ulong NextRound()
    {
        _roundGeneration = state.Effects.Generation;
        return ++Round;
    }

    /// <summary>
    /// Takes a read that waits for a round which has not left yet. True when that round still has to be broadcast by the caller;
    /// while an unanswered round is on its way, the next one waits for it.
    /// </summary>
    public bool Add(ulong context)
    {
        if (_pending.Count >= state.Options.MaxPendingReads)
        {
            Refuse(context);
            return false;
        }

        bool roundStillHere = Round > Confirmed && _roundGeneration == state.Effects.Generation;
        ulong round = roundStillHere ? Round : Round + 1;
        _pending.Enqueue(new Pending(context, state.CommitIndex, round));
        return round > Round && Confirmed == Round;
    }

    /// <summary>
    /// A quorum has answered this round or later ones. True when reads wait for a round that should be sent now.
    /// </summary>
    public bool Confirm(ulong round)
    {
        if (round > Confirmed) Confirmed = round;
        while (_pending.TryPeek(out Pending read) && read.Round <= Confirmed)
        {
            _pending.Dequeue();
            state.Effects.Reads.Add(new ReadResult(read.Context, true, read.Index));
        }

        return _pending.TryPeek(out Pending waiting) && waiting.Round > Round && Confirmed >= Round;
    }

    /// <summary>The node got no time for a while: answers to what was sent before no longer grant anything.</summary>
    public void StartOver()
    {
        for (int i = _pending.Count; i > 0; i--)
        {
            _pending.Enqueue(_pending.Dequeue() with { Round = Round + 1 });
        }
    }

    public void Refuse(ulong context) => state.Effects.Reads.Add(new ReadResult(context, false, state.CommitIndex));

    public void RefuseAll()
    {
        while (_pending.TryDequeue(out Pending read)) Refuse(read.Context);
    }

    private readonly record struct Pending(ulong Context, LogIndex Index, ulong Round);
}
