using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// Handing leadership over (Raft thesis 3.10): proposals are refused until the successor holds the whole log and is told to
/// campaign, for at most an election timeout.
/// </summary>
internal sealed class Transfer(NodeState state, Messages messages, Replication replication)
{
    private NodeId _to;
    private bool _told;

    public bool IsRunning => !_to.IsNone;

    public long DeadlineMs { get; private set; } = long.MaxValue;

    /// <summary>Starts a transfer, or turns a running one to another node. False when there is nobody to take over.</summary>
    public bool Begin(NodeId to)
    {
        if (to.IsNone) to = BestSuccessor();
        if (to.IsNone || to == state.Self || !MaySucceed(to)) return false;
        if (_to == to) return true;
        _to = to;
        _told = false;
        DeadlineMs = state.NowMs + state.Options.ElectionTimeoutMs;
        Advance();
        return true;
    }

    public void End()
    {
        _to = NodeId.None;
        _told = false;
        DeadlineMs = long.MaxValue;
    }

    /// <summary>Tells the successor as soon as it holds everything.</summary>
    public void Advance()
    {
        if (_to.IsNone) return;
        if (!MaySucceed(_to))
        {
            End();
            return;
        }

        if (_told || replication.PeerOf(_to)!.Match != state.Log.LastIndex) return;
        messages.TimeoutNow(_to);
        _told = true;
    }

    /// <summary>Gives up when an election timeout has passed: proposals are taken again.</summary>
    public void Tick()
    {
        if (state.NowMs >= DeadlineMs) End();
    }

    /// <summary>
    /// The voter that was heard from lately and holds the most, of those who say that they are fit to lead if there are such; none when
    /// there is no such.
    /// </summary>
    public NodeId BestSuccessor()
    {
        Progress? best = null;
        foreach (Progress peer in replication.Peers)
        {
            bool heard = peer.LastHeardMs >= 0 && state.NowMs - peer.LastHeardMs <= state.Options.ElectionTimeoutMs;
            if (heard && MaySucceed(peer.Id) && (best is null || IsBetter(peer, best))) best = peer;
        }

        return best?.Id ?? NodeId.None;
    }

    private static bool IsBetter(Progress peer, Progress best)
    {
        bool fit = !peer.LogHangs && !peer.IsUnfit;
        bool bestFit = !best.LogHangs && !best.IsUnfit;
        return fit == bestFit ? peer.Match > best.Match : fit;
    }

    private bool MaySucceed(NodeId id) =>
        replication.PeerOf(id) is not null && state.Members!.Voters.Any(voter => voter.Id == id);
}
