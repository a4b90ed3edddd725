using RaftQueue.Checkers;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// Makes the faults of a schedule when their time comes and ends them after a while. It decides nothing by chance: an event that
/// cannot happen (its node is down, nobody leads) is left out and counted.
/// </summary>
internal sealed class FaultInjector
{
    private readonly SimulatedCluster _cluster;
    private readonly FaultSchedule _schedule;
    private readonly History _history;
    private readonly long _startedAt;
    private readonly PriorityQueue<Action, (long At, long Order)> _endings = new();
    private readonly Dictionary<NodeId, (Task Stopped, long DownMs)> _stopping = [];
    private readonly Dictionary<NodeId, FaultEvent> _armed = [];
    private readonly SortedDictionary<FaultKind, int> _made = [];
    private readonly SortedDictionary<FaultKind, int> _leftOut = [];
    private int _next;
    private long _order;
    private bool _isOver;

    public FaultInjector(SimulatedCluster cluster, FaultSchedule schedule, History history)
    {
        _cluster = cluster;
        _schedule = schedule;
        _history = history;
        _startedAt = Now;
        cluster.DiskCrashed = CrashedInDisk;
    }

    /// <summary>When something is to happen next, monotonic microseconds.</summary>
    public long NextMicroseconds
    {
        get
        {
            long begins = _isOver || _next == _schedule.Events.Count ? long.MaxValue : TimeOf(_schedule.Events[_next]);
            return _endings.TryPeek(out _, out (long At, long Order) ending) ? Math.Min(begins, ending.At) : begins;
        }
    }

    /// <summary>How many faults of each kind happened.</summary>
    public IReadOnlyDictionary<FaultKind, int> Made => _made;

    /// <summary>How many could not happen.</summary>
    public IReadOnlyDictionary<FaultKind, int> LeftOut => _leftOut;

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    public void RunDue()
    {
        ReapStopped();
        while (_endings.TryPeek(out Action? ending, out (long At, long Order) due) && due.At <= Now)
        {
            _endings.Dequeue();
            ending();
        }

        while (!_isOver && _next < _schedule.Events.Count && TimeOf(_schedule.Events[_next]) <= Now)
        {
            FaultEvent fault = _schedule.Events[_next++];
            string? hindrance = Make(fault);
            SortedDictionary<FaultKind, int> counts = hindrance is null ? _made : _leftOut;
            counts[fault.Kind] = counts.GetValueOrDefault(fault.Kind) + 1;
            if (hindrance is not null) _history.Fault($"left out, {hindrance}: {fault}");
        }
    }

    /// <summary>Ends all faults: everybody runs, everything is connected.</summary>
    public void HealAll()
    {
        _history.Fault("everything heals");
        _isOver = true;
        _endings.Clear();
        _armed.Clear();
        _cluster.Network.Heal();
        _cluster.Network.Weather = new NetworkWeather();
        foreach (SimulatedNode node in _cluster.Nodes)
        {
            node.Disk.CrashAtOperation = null;
            node.PausedUntilMicroseconds = 0;
            node.Loops?.Hold("log", 0);
        }
    }

    /// <summary>After <see cref="HealAll"/>, until nobody is stopping any more: starts who is not running.</summary>
    public bool StartAll()
    {
        ReapStopped();
        foreach (SimulatedNode node in _cluster.Nodes)
        {
            if (!node.IsRunning) Start(node);
        }

        return _stopping.Count == 0;
    }

    /// <summary>Null when it was done, else why it cannot be.</summary>
    private string? Make(FaultEvent fault)
    {
        if (fault.Node.In(_cluster) is not { } node) return $"nobody is {fault.Node}";
        switch (fault.Kind)
        {
            case FaultKind.Isolate or FaultKind.Deafen or FaultKind.Mute or FaultKind.CutPair or FaultKind.CutOneWay:
                return Cut(fault, node);
            case FaultKind.Disconnect:
                if (fault.Other.In(_cluster) is not { } other || other == node) return "no two nodes";
                _history.Fault($"connection {node.Id}-{other.Id} breaks");
                _cluster.Network.Disconnect(node.Id, other.Id);
                return null;
            case FaultKind.JumpWall:
                node.Clock.WallOffsetMs = fault.Amount;
                _history.Fault($"node {node.Id}: wall clock is wrong by {fault.Amount} ms");
                return null;
            case FaultKind.CrashInDisk:
                // Of a node that is down: while it starts.
                if (_stopping.ContainsKey(node.Id)) return "the node is stopping";
                _armed[node.Id] = fault;
                node.Disk.CrashAtOperation = node.Disk.Operations + fault.Amount;
                return null;
            case FaultKind.LosePower when !node.IsRunning:
                _history.Fault($"node {node.Id} loses power while it is down");
                node.Disk.Crash(CrashMode.PowerLoss, new SplitMix64(fault.Salt));
                return null;
            default:
                return node.IsRunning ? MakeOfProcess(fault, node) : "the node is down";
        }
    }

    private string? MakeOfProcess(FaultEvent fault, SimulatedNode node)
    {
        switch (fault.Kind)
        {
            case FaultKind.Die:
                Crash(node, CrashMode.ProcessDeath, fault);
                return null;
            case FaultKind.LosePower:
                Crash(node, CrashMode.PowerLoss, fault);
                return null;
            case FaultKind.Wipe:
                return Wipe(fault, node);
            case FaultKind.Pause:
                _history.Fault($"node {node.Id} is paused for {fault.DurationMs} ms");
                node.PausedUntilMicroseconds = Now + (fault.DurationMs * 1000);
                return null;
            case FaultKind.HangLog:
                _history.Fault($"node {node.Id}: disk hangs for {fault.DurationMs} ms");
                node.Loops!.Hold("log", Now + (fault.DurationMs * 1000));
                return null;
            case FaultKind.Stop:
                if (_stopping.ContainsKey(node.Id)) return "the node is stopping";
                node.Disk.CrashAtOperation = null;
                _history.Fault($"node {node.Id} is asked to stop");
                _stopping.Add(node.Id, (node.Node!.StopAsync(TimeSpan.FromMilliseconds(fault.Amount)), fault.DurationMs));
                return null;
            default:
                throw new InvalidOperationException($"nothing is made for {fault.Kind}");
        }
    }

    private string? Cut(FaultEvent fault, SimulatedNode node)
    {
        var cuts = new List<(NodeId From, NodeId To)>();
        if (fault.Kind is FaultKind.CutPair or FaultKind.CutOneWay)
        {
            if (fault.Other.In(_cluster) is not { } other || other == node) return "no two nodes";
            cuts.Add((node.Id, other.Id));
            if (fault.Kind == FaultKind.CutPair) cuts.Add((other.Id, node.Id));
        }
        else
        {
            foreach (SimulatedNode each in _cluster.Nodes)
            {
                if (each == node) continue;
                if (fault.Kind != FaultKind.Mute) cuts.Add((each.Id, node.Id));
                if (fault.Kind != FaultKind.Deafen) cuts.Add((node.Id, each.Id));
            }
        }

        bool breaks = fault.Amount != 0;
        string paths = string.Join(' ', cuts.Select(pair => $"{pair.From}>{pair.To}"));
        _history.Fault($"cut for {fault.DurationMs} ms{(breaks ? ", connections break" : "")}: {paths}");
        foreach ((NodeId from, NodeId to) in cuts)
        {
            _cluster.Network.Cut(from, to);
            if (breaks) _cluster.Network.Disconnect(from, to);
        }

        Later(fault.DurationMs, () =>
        {
            _history.Fault($"cut ends: {paths}");
            foreach ((NodeId from, NodeId to) in cuts) _cluster.Network.Mend(from, to);
        });
        return null;
    }

    private void CrashedInDisk(SimulatedNode node)
    {
        FaultEvent fault = _armed.GetValueOrDefault(node.Id) ?? throw new InvalidOperationException("no crash of a disk was planned");
        Crash(node, (fault.Salt & 1) == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath, fault);
    }

    private void Crash(SimulatedNode node, CrashMode mode, FaultEvent fault)
    {
        _stopping.Remove(node.Id);
        _armed.Remove(node.Id);
        node.PausedUntilMicroseconds = 0;
        _history.Fault($"node {node.Id} crashes: {mode}");
        _cluster.Crash(node, mode, new SplitMix64(fault.Salt));
        if (!_isOver) Later(fault.DurationMs, () => Start(node));
    }

    private void Start(SimulatedNode node)
    {
        if (node.IsRunning) return;
        _history.Fault($"node {node.Id} starts");
        try
        {
            _cluster.Start(node);
        }
        catch (SimulatedCrashException)
        {
            CrashedInDisk(node);
        }
    }

    /// <summary>Everything on a node's disk is lost, while everybody else is a voter with a disk that was never lost since.</summary>
    private string? Wipe(FaultEvent fault, SimulatedNode victim)
    {
        if (_stopping.Count > 0 || !_cluster.Nodes.TrueForAll(IsSettled)) return "not every node is a settled voter";
        _history.Fault($"node {victim.Id} is wiped");
        victim.PausedUntilMicroseconds = 0;
        _armed.Remove(victim.Id);
        _cluster.Crash(victim, CrashMode.PowerLoss, new SplitMix64(fault.Salt));
        _cluster.Wipe(victim);
        Later(fault.DurationMs, () => Start(victim));
        return null;
    }

    /// <summary>Runs, and knows as committed a membership of which every node's present incarnation is a voter.</summary>
    private bool IsSettled(SimulatedNode node) => node.Node is { } running && running.Parts.Replica.Shards.All(shard =>
        shard.Raft.Membership is { IsJoint: false } membership
        && shard.Raft.MembershipIndex.Value > 0
        && shard.Raft.CommitIndex >= shard.Raft.MembershipIndex
        && membership.Voters.Count == _cluster.Nodes.Count
        && _cluster.Nodes.TrueForAll(each =>
            each.Node is { } other && membership.IsVoter(each.Id) && membership.Names(each.Id, other.Parts.Shared.Incarnation)));

    private void ReapStopped()
    {
        if (_stopping.Count == 0) return;
        foreach ((NodeId id, (Task stopped, long downMs)) in _stopping.ToList())
        {
            if (!stopped.IsCompleted) continue;
            Require.That(stopped.IsCompletedSuccessfully, $"node {id} stops without an error: {stopped.Exception}");
            _stopping.Remove(id);
            SimulatedNode node = _cluster[id.Value];
            _cluster.Forget(node);
            _history.Fault($"node {id} has stopped");
            if (!_isOver) Later(downMs, () => Start(node));
        }
    }

    private long TimeOf(FaultEvent fault) => _startedAt + (fault.AtMs * 1000);

    private void Later(long ms, Action action) => _endings.Enqueue(action, (Now + (ms * 1000), _order++));
}
