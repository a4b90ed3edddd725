using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>Makes the faults of a plan and undoes them after a while. Every choice comes from its own generator.</summary>
internal sealed class FaultInjector
{
    private const long MinuteMicroseconds = 60_000_000;

    private readonly SimulatedCluster _cluster;
    private readonly SeedPlan _plan;
    private readonly History _history;
    private readonly SplitMix64 _random;
    private readonly List<(long At, Action Undo)> _undo = [];
    private readonly Dictionary<NodeId, Task> _stopping = [];
    private long _nextAt;

    public FaultInjector(SimulatedCluster cluster, SeedPlan plan, History history, ulong seed)
    {
        _cluster = cluster;
        _plan = plan;
        _history = history;
        _random = new SplitMix64(seed);
        _nextAt = Now + (_random.NextBelow(2 * plan.FaultGapMs) * 1000);
        cluster.DiskCrashed = node => Crash(node, OneIn(2) ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
    }

    /// <summary>When something is to happen next, monotonic microseconds.</summary>
    public long NextMicroseconds => Math.Min(_nextAt, _undo.Count == 0 ? long.MaxValue : _undo.Min(pair => pair.At));

    public int Faults { get; private set; }

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    public void RunDue()
    {
        ReapStopped();
        while (true)
        {
            int due = _undo.FindIndex(pair => pair.At <= Now);
            if (due < 0) break;
            Action undo = _undo[due].Undo;
            _undo.RemoveAt(due);
            undo();
        }

        if (Now < _nextAt) return;
        _nextAt = Now + 1_000 + (_random.NextBelow(2 * _plan.FaultGapMs) * 1000);
        Faults++;
        Make(Draw());
    }

    /// <summary>Ends all faults: everybody runs, everything is connected.</summary>
    public void HealAll()
    {
        _history.Fault("everything heals");
        _nextAt = long.MaxValue;
        _undo.Clear();
        _cluster.Network.Heal();
        _cluster.Network.LossPercent = 0;
        _cluster.Network.LatePerMille = 0;
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

    private void Make(FaultKind kind)
    {
        SimulatedNode node = Pick();
        switch (kind)
        {
            case FaultKind.Partition:
                Partition(node);
                break;
            case FaultKind.Disconnect:
                SimulatedNode other = Pick();
                _history.Fault($"connection {node.Id}-{other.Id} breaks");
                _cluster.Network.Disconnect(node.Id, other.Id);
                break;
            case FaultKind.Die:
                CrashAndRestart(node, CrashMode.ProcessDeath);
                break;
            case FaultKind.LosePower:
                CrashAndRestart(node, CrashMode.PowerLoss);
                break;
            case FaultKind.CrashInDisk:
                if (node.IsRunning && !_stopping.ContainsKey(node.Id)) node.Disk.CrashAtOperation = node.Disk.Operations + 1 + _random.NextBelow(60);
                break;
            case FaultKind.LosePowerOneAfterTheOther:
                OneAfterTheOther();
                break;
            case FaultKind.AllLosePower:
                foreach (SimulatedNode each in _cluster.Nodes) CrashAndRestart(each, OneIn(3) ? CrashMode.ProcessDeath : CrashMode.PowerLoss);
                break;
            case FaultKind.Wipe:
                Wipe(node);
                break;
            case FaultKind.JumpWall:
                JumpWall();
                break;
            case FaultKind.Pause:
                Pause(node);
                break;
            case FaultKind.SlowDisk:
                long slowMs = 20 + _random.NextBelow(3_000);
                _history.Fault($"node {node.Id}: disk hangs for {slowMs} ms");
                node.Loops?.Hold("log", Now + (slowMs * 1000));
                break;
            default:
                Stop(node);
                break;
        }
    }

    private void Partition(SimulatedNode node)
    {
        int shape = (int)_random.NextBelow(4);
        SimulatedNode other = Pick();
        var cuts = new List<(NodeId From, NodeId To)>();
        switch (shape)
        {
            case 0:
                foreach (SimulatedNode each in _cluster.Nodes) cuts.AddRange([(node.Id, each.Id), (each.Id, node.Id)]);
                break;
            case 1:
                bool deaf = OneIn(2);
                foreach (SimulatedNode each in _cluster.Nodes) cuts.Add(deaf ? (each.Id, node.Id) : (node.Id, each.Id));
                break;
            case 2:
                cuts.AddRange([(node.Id, other.Id), (other.Id, node.Id)]);
                break;
            default:
                cuts.Add((node.Id, other.Id));
                break;
        }

        cuts.RemoveAll(pair => pair.From == pair.To);
        bool breaks = OneIn(2);
        long forMs = 50 + _random.NextBelow(OneIn(4) ? 12_000 : 2_500);
        _history.Fault($"cut for {forMs} ms{(breaks ? ", connections break" : "")}: {string.Join(' ', cuts.Select(pair => $"{pair.From}>{pair.To}"))}");
        foreach ((NodeId from, NodeId to) in cuts)
        {
            _cluster.Network.Cut(from, to);
            if (breaks) _cluster.Network.Disconnect(from, to);
        }

        Later(forMs, () =>
        {
            _history.Fault("cut ends");
            foreach ((NodeId from, NodeId to) in cuts) _cluster.Network.Mend(from, to);
        });
    }

    private void OneAfterTheOther()
    {
        long gapMs = 1 + _random.NextBelow(400);
        for (int i = 0; i < _cluster.Nodes.Count; i++)
        {
            SimulatedNode node = _cluster.Nodes[i];
            Later(i * gapMs, () => CrashAndRestart(node, CrashMode.PowerLoss));
        }
    }

    private void CrashAndRestart(SimulatedNode node, CrashMode mode)
    {
        if (!node.IsRunning) return;
        Crash(node, mode);
    }

    private void Crash(SimulatedNode node, CrashMode mode)
    {
        _stopping.Remove(node.Id);
        node.PausedUntilMicroseconds = 0;
        _history.Fault($"node {node.Id} crashes: {mode}");
        _cluster.Crash(node, mode);
        long downMs = 1 + _random.NextBelow(OneIn(4) ? 8_000 : 1_000);
        Later(downMs, () => Start(node));
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
            Crash(node, CrashMode.PowerLoss);
        }
    }

    /// <summary>Everything on a node's disk is lost, while everybody else is a voter with a disk that was never lost since.</summary>
    private void Wipe(SimulatedNode victim)
    {
        if (!victim.IsRunning || _stopping.Count > 0 || !_cluster.Nodes.TrueForAll(IsSettled)) return;
        _history.Fault($"node {victim.Id} is wiped");
        victim.PausedUntilMicroseconds = 0;
        _cluster.Crash(victim, CrashMode.PowerLoss);
        _cluster.Wipe(victim);
        Later(1 + _random.NextBelow(3_000), () => Start(victim));
    }

    /// <summary>Runs, and knows as committed a membership of which every node's present incarnation is a voter.</summary>
    private bool IsSettled(SimulatedNode node) => node.Node is { } running && running.Parts.Replica.Shards.All(shard =>
        shard.Raft.Membership is { IsJoint: false } membership
        && shard.Raft.MembershipIndex.Value > 0
        && shard.Raft.CommitIndex >= shard.Raft.MembershipIndex
        && membership.Voters.Count == _cluster.Nodes.Count
        && _cluster.Nodes.TrueForAll(each =>
            each.Node is { } other && membership.IsVoter(each.Id) && membership.Names(each.Id, other.Parts.Shared.Incarnation)));

    private void JumpWall()
    {
        SimulatedNode node = _cluster[_plan.JumpingNode.Value];
        node.Clock.WallOffsetMs = OneIn(3) ? 0 : _random.NextBelow(2 * 3_600_000) - 3_600_000;
        _history.Fault($"node {node.Id}: wall clock is wrong by {node.Clock.WallOffsetMs} ms");
    }

    private void Pause(SimulatedNode node)
    {
        if (!node.IsRunning) return;
        long forMs = 20 + _random.NextBelow(OneIn(4) ? 10_000 : 1_500);
        _history.Fault($"node {node.Id} is paused for {forMs} ms");
        node.PausedUntilMicroseconds = Now + (forMs * 1000);
    }

    private void Stop(SimulatedNode node)
    {
        if (!node.IsRunning || _stopping.ContainsKey(node.Id)) return;
        node.Disk.CrashAtOperation = null;
        _history.Fault($"node {node.Id} is asked to stop");
        _stopping.Add(node.Id, node.Node!.StopAsync(TimeSpan.FromMilliseconds(_random.NextBelow(4_000))));
    }

    private void ReapStopped()
    {
        foreach ((NodeId id, Task stopped) in _stopping.ToList())
        {
            if (!stopped.IsCompleted) continue;
            Require.That(stopped.IsCompletedSuccessfully, $"node {id} stops without an error: {stopped.Exception}");
            _stopping.Remove(id);
            SimulatedNode node = _cluster[id.Value];
            node.Node = null;
            node.Loops = null;
            _history.Fault($"node {id} has stopped");
            Later(1 + _random.NextBelow(2_000), () => Start(node));
        }
    }

    private FaultKind Draw()
    {
        int all = _plan.Weights.Sum(pair => pair.Weight);
        if (all == 0) return FaultKind.Disconnect;
        long at = _random.NextBelow(all);
        foreach ((FaultKind kind, int weight) in _plan.Weights)
        {
            if (at < weight) return kind;
            at -= weight;
        }

        return FaultKind.Disconnect;
    }

    private void Later(long ms, Action action) => _undo.Add((Math.Min(Now + (ms * 1000), Now + MinuteMicroseconds), action));

    /// <summary>Now and then on purpose whoever leads: most faults matter there.</summary>
    private SimulatedNode Pick()
    {
        SimulatedNode? leader = OneIn(3) ? _cluster.Nodes.Find(Leads) : null;
        return leader ?? _cluster.Nodes[(int)_random.NextBelow(_cluster.Nodes.Count)];
    }

    private static bool Leads(SimulatedNode node) => node.Node?.Parts.Replica.Shards.Any(shard => shard.Raft.Role == Role.Leader) == true;

    private bool OneIn(int many) => _random.NextBelow(many) == 0;
}
