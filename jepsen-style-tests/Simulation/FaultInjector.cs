using RaftQueue.Checkers;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Storage;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// Makes the faults of a schedule when their time comes and ends them after a while. It decides nothing by chance: an event that
/// cannot happen (its node is down, nobody leads, the <see cref="DamageBudget"/> refuses) is left out and counted.
/// </summary>
internal sealed class FaultInjector
{
    private const long RetryMs = 500;

    private readonly SimulatedCluster _cluster;
    private readonly FaultSchedule _schedule;
    private readonly History _history;
    private readonly DiskWatch _watch;
    private readonly NetworkFaults _network;
    private readonly DiskFaults _disks;
    private readonly MembershipFaults _members;
    private readonly long _startedAt;
    private readonly PriorityQueue<Action, (long At, long Order)> _endings = new();
    private readonly Dictionary<NodeId, (Task Stopped, long DownMs)> _stopping = [];
    private readonly Dictionary<NodeId, FaultEvent> _armed = [];
    private readonly SortedDictionary<FaultKind, int> _made = [];
    private readonly SortedDictionary<FaultKind, int> _leftOut = [];
    private int _next;
    private long _order;
    private bool _isOver;
    private IReadOnlySet<NodeId>? _healed;

    public FaultInjector(SimulatedCluster cluster, FaultSchedule schedule, History history, DiskWatch watch, int shards)
    {
        _cluster = cluster;
        _schedule = schedule;
        _history = history;
        _watch = watch;
        _startedAt = Now;
        Budget = new DamageBudget(cluster, shards);
        var context = new FaultContext(cluster, history, Budget, Later, Replace);
        _network = new NetworkFaults(context);
        _disks = new DiskFaults(context);
        _members = new MembershipFaults(cluster, Budget, history.Fault);
        cluster.NodeFailed = NodeFailed;
        cluster.Network.PageLacking = id =>
            Require.That(
                MayLackPages(cluster[id.Value]), $"P10: node {id} lacks a page of the checkpoint it gives, and nothing was done to its disk");
    }

    public DamageBudget Budget { get; }

    /// <summary>Told of a node that something made stop in the middle of a slice, while all else of it is still there.</summary>
    public Action<SimulatedNode>? Stops { get; set; }

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

    /// <summary>Starts that were held against everything.</summary>
    public int StartsJudged { get; private set; }

    /// <summary>Starts that something was allowed, because a read failed at it, or for damage that was done.</summary>
    public int StartsExcused { get; private set; }

    /// <summary>Starts that failed as they had to.</summary>
    public int StartsThatFailed { get; private set; }

    /// <summary>How many could not happen.</summary>
    public IReadOnlyDictionary<FaultKind, int> LeftOut => _leftOut;

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    /// <summary>True when anything was done.</summary>
    public bool RunDue()
    {
        bool worked = ReapStopped();
        while (_endings.TryPeek(out Action? ending, out (long At, long Order) due) && due.At <= Now)
        {
            _endings.Dequeue();
            ending();
            worked = true;
        }

        while (!_isOver && _next < _schedule.Events.Count && TimeOf(_schedule.Events[_next]) <= Now)
        {
            FaultEvent fault = _schedule.Events[_next++];
            Budget.Observe();
            string? hindrance = Make(fault);
            SortedDictionary<FaultKind, int> counts = hindrance is null ? _made : _leftOut;
            counts[fault.Kind] = counts.GetValueOrDefault(fault.Kind) + 1;
            if (hindrance is not null) _history.Fault($"left out, {hindrance}: {fault}");
            worked = true;
        }

        return worked;
    }

    /// <summary>Ends all faults: everybody runs, everything is connected.</summary>
    public void HealAll()
    {
        _history.Fault("everything heals");
        Heal(_cluster.Nodes.Select(node => node.Id).ToHashSet());
        _cluster.Network.Weather = new NetworkWeather();
        foreach (SimulatedNode node in _cluster.Nodes.Where(node => !Budget.IsIntact(node))) LookAtDisk(node);
    }

    /// <summary>
    /// Ends the faults of some nodes and of the ways between them. Everything else stays as bad as it is for ever: who is down
    /// stays down, who is cut off stays cut off, and the weather goes on there.
    /// </summary>
    public void Heal(IReadOnlySet<NodeId> healed)
    {
        _isOver = true;
        _healed = healed;
        _endings.Clear();
        _cluster.Network.Heal((from, to) => healed.Contains(from) && healed.Contains(to));
        foreach (SimulatedNode node in _cluster.Nodes.Where(node => healed.Contains(node.Id)))
        {
            _armed.Remove(node.Id);
            node.Disk.CrashAtOperation = null;
            node.Disk.CapacityBytes = null;
            node.Disk.Broken = BrokenParts.None;
            node.Disk.ForgetErrors();
            node.IsCutFromClients = false;
            node.PausedUntilMicroseconds = 0;
            node.Clock.WallOffsetMs = 0;
            foreach (string loop in Loop.All)
            {
                node.Loops?.Hold(loop, 0);
                node.Loops?.Slow(loop, 0, 0);
            }
        }
    }

    /// <summary>After <see cref="Heal"/>, until it says that all of those run and have noticed that there is room: starts who does not.</summary>
    public bool StartHealed()
    {
        ReapStopped();
        RunDue();
        foreach (SimulatedNode node in _cluster.Nodes)
        {
            if (!node.IsRunning && IsHealed(node)) Start(node);
        }

        return _cluster.Nodes.TrueForAll(node => !IsHealed(node) || (node.Node is { } running && !_stopping.ContainsKey(node.Id) && !running.Parts.Shared.IsDiskFull)) && _endings.Count == 0;
    }

    /// <summary>After <see cref="HealAll"/>: whoever was taken out of a shard is put back, step by step.</summary>
    public void RestoreMembers() => _members.Restore();

    /// <summary>Everybody has healed and was looked at: old damage is no excuse for anything any more.</summary>
    public void NothingIsDamaged()
    {
        foreach (SimulatedNode node in _cluster.Nodes) node.Damaged = DamagedParts.None;
    }

    /// <summary>A node is in this state from now on, and nothing ends it.</summary>
    public void Afflict(FaultKind kind, SimulatedNode node, ulong salt)
    {
        FaultEvent fault = new(0, kind, FaultTarget.Node(node.Id.Value), DurationMs: long.MaxValue / 4000, Salt: salt);
        _history.Fault($"for ever: {kind} of node {node.Id}");
        Make(fault);
    }

    /// <summary>Damage that a start finds is found now; where it may lie deeper, the disk is replaced.</summary>
    private void LookAtDisk(SimulatedNode node)
    {
        if (Budget.IsDamagedForEver(node)) Replace(node);
        else if (node.IsRunning) Crash(node, CrashMode.ProcessDeath, new FaultEvent(0, FaultKind.Die, default, DurationMs: RetryMs));
    }

    private bool IsHealed(SimulatedNode node) => _healed?.Contains(node.Id) ?? true;

    /// <summary>Null when it was done, else why it cannot be.</summary>
    private string? Make(FaultEvent fault)
    {
        if (fault.Node.In(_cluster) is not { } node) return $"nobody is {fault.Node}";
        switch (fault.Kind)
        {
            case <= FaultKind.SpoilTransfers:
                return _network.Make(fault, node);
            case FaultKind.JumpWall:
                node.Clock.WallOffsetMs = fault.Amount;
                _history.Fault($"node {node.Id}: wall clock is wrong by {fault.Amount} ms");
                return null;
            case FaultKind.DriftClock:
                node.Clock.Drift(fault.Amount);
                _history.Fault($"node {node.Id}: monotonic clock runs too fast by {fault.Amount} ppm");
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
            case FaultKind.DamageLog or FaultKind.DamageCheckpoint or FaultKind.DamageHardState or FaultKind.DamageIdentity:
            case >= FaultKind.FailCreate and <= FaultKind.BreakDisk:
                // Of a node that is down: when it starts.
                return _stopping.ContainsKey(node.Id) ? "the node is stopping" : _disks.Make(fault, node);
            case FaultKind.CutClients:
                return CutClients(fault, node);
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
                Crash(node, CrashMode.PowerLoss, fault, silently: fault.Amount != 0);
                return null;
            case FaultKind.Wipe:
                return Wipe(fault, node);
            case FaultKind.Pause:
                _history.Fault($"node {node.Id} is paused for {fault.DurationMs} ms");
                node.PausedUntilMicroseconds = Now + (fault.DurationMs * 1000);
                return null;
            case FaultKind.HandOver:
                if (fault.Other.In(_cluster) is not { } other || other == node) return "no other node";
                _history.Fault($"node {node.Id} is asked to hand shard {fault.Amount} over to node {other.Id}");
                node.Node!.Parts.Replica.Post(new HandOver(new ShardId((ushort)fault.Amount), other.Id));
                return null;
            case FaultKind.RemoveMember or FaultKind.AddLearner or FaultKind.PromoteLearner:
                return _members.Make(fault, node);
            case FaultKind.Stop:
                if (_stopping.ContainsKey(node.Id)) return "the node is stopping";
                node.Disk.CrashAtOperation = null;
                _history.Fault($"node {node.Id} is asked to stop");
                _stopping.Add(node.Id, (node.Node!.StopAsync(TimeSpan.FromMilliseconds(fault.Amount)), fault.DurationMs));
                return null;
            default:
                return _stopping.ContainsKey(node.Id) ? "the node is stopping" : _disks.Make(fault, node);
        }
    }

    /// <summary>An exception left a loop of a node. True when that is what a fault had to lead to: then the process is gone.</summary>
    private bool NodeFailed(SimulatedNode node, Exception exception)
    {
        bool planned = exception is SimulatedCrashException && _armed.ContainsKey(node.Id);
        if (!planned && !MayEnd(node, exception)) return exception.InnerException is { } inner && NodeFailed(node, inner);
        FaultEvent fault = _armed.GetValueOrDefault(node.Id) ?? new FaultEvent(0, FaultKind.Die, default, DurationMs: RetryMs, Salt: node.FailSalt);
        _history.Fault($"node {node.Id} fails: {exception.Message}");
        Stops?.Invoke(node);
        Crash(node, (fault.Salt & 1) == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath, fault);
        return true;
    }

    /// <summary>
    /// What of a disk may lead to such an end: an error of an operation in this very life, or what was damaged before. An error ends with the
    /// process that met it: the next one finds whatever a process leaves behind that dies at this place.
    /// </summary>
    private static bool MayEnd(SimulatedNode node, Exception exception) => exception switch
    {
        DiskException => node.HasFailed,
        StorageDamagedException => (node.Damaged & ~DamagedParts.Checkpoints) != DamagedParts.None,
        Pages.CheckpointDamagedException => node.Damaged.HasFlag(DamagedParts.Checkpoints),
        _ => false,
    };

    /// <summary>A page that cannot be read counts as lacking, until the process ends.</summary>
    private static bool MayLackPages(SimulatedNode node) => node.HasFailedToRead || node.Damaged.HasFlag(DamagedParts.Checkpoints);

    private string? CutClients(FaultEvent fault, SimulatedNode node)
    {
        bool breaks = (fault.Salt & 1) == 1;
        _history.Fault($"clients do not reach node {node.Id} for {fault.DurationMs} ms{(breaks ? ", connections break" : "")}");
        node.IsCutFromClients = true;
        if (breaks) node.ClientBreaks++;
        Later(fault.DurationMs, () => node.IsCutFromClients = false);
        return null;
    }

    private void Crash(SimulatedNode node, CrashMode mode, FaultEvent fault, bool silently = false)
    {
        Budget.Observe();
        _stopping.Remove(node.Id);
        _armed.Remove(node.Id);
        node.PausedUntilMicroseconds = 0;
        _history.Fault($"node {node.Id} crashes: {mode}{(silently ? ", and nobody is told" : "")}");
        _cluster.Crash(node, mode, new SplitMix64(fault.Salt), silently);
        if (IsHealed(node)) Later(fault.DurationMs, () => Start(node));
    }

    private void Start(SimulatedNode node)
    {
        if (node.IsRunning) return;
        _history.Fault($"node {node.Id} starts");
        try
        {
            _cluster.Start(node);
        }
        catch (Exception exception) when (exception is SimulatedCrashException or NodeStartException or DiskException)
        {
            StartFailed(node, exception);
            return;
        }

        HasWholeCheckpoints(node);
        bool isJudged = !Budget.IsLogDamagedTwice(node);
        if (isJudged) _watch.Starts(node);
        if (isJudged && !node.HasFailed && node.Damaged == DamagedParts.None) StartsJudged++;
        else StartsExcused++;

        // What an operator does who reads that the node has forgotten its promises.
        bool forgot = node.Node!.Parts.Replica.Shards.Any(shard => node.Node.Parts.Shared.Wal.Recovered(shard.Shard).HardState is null);
        if (!forgot) return;
        Require.That(!Budget.IsIntact(node), $"P10: node {node.Id} forgot its promises and nothing was done to its disk");
        Later(RetryMs, () => Replace(node));
    }

    /// <summary>A superblock may be torn by a crash; what a whole one leads to was durable before it.</summary>
    private static void HasWholeCheckpoints(SimulatedNode node)
    {
        foreach (ShardReplica shard in node.Node!.Parts.Replica.Shards)
        {
            Pages.CheckpointDamage? damage = node.Node.Parts.Files[shard.Shard].Damage.FirstOrDefault(damage => damage.CheckpointIndex is not null);
            Require.That(
                damage is null || MayLackPages(node), $"P10: node {node.Id} starts, its shard {shard.Shard} has a damaged checkpoint and nothing was done to its disk: {damage}");
        }
    }

    private void StartFailed(SimulatedNode node, Exception exception)
    {
        bool mayBeUnreadable = (node.Damaged & ~DamagedParts.Checkpoints) != DamagedParts.None;
        bool expected = _armed.ContainsKey(node.Id) || node.HasFailed || mayBeUnreadable || node.Disk.CapacityBytes is not null;
        StartsThatFailed++;
        Require.That(expected, $"P10: node {node.Id} does not start and nothing was done to its disk: {exception}");
        _history.Fault($"node {node.Id} does not start: {exception.Message}");
        FaultEvent? armed = _armed.GetValueOrDefault(node.Id);
        if (armed is not null && exception is SimulatedCrashException)
        {
            Crash(node, (armed.Salt & 1) == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath, armed);
            return;
        }

        // Errors of the moment pass, a full disk too; a directory that cannot be used any more is replaced. Nobody's is damaged before
        // the cluster has begun.
        node.StartsFailed++;
        _cluster.Network.Leave(node.Id);
        node.Disk.Crash(CrashMode.ProcessDeath);
        bool isLost = node.StartsFailed > 3 && node.Disk.CapacityBytes is null && Budget.HasBegun && !Budget.IsIntact(node);
        if (isLost) Replace(node);
        else if (IsHealed(node)) Later(RetryMs, () => Start(node));
    }

    /// <summary>Everything on a node's disk is lost.</summary>
    private string? Wipe(FaultEvent fault, SimulatedNode victim)
    {
        if (_stopping.ContainsKey(victim.Id)) return "the node is stopping";
        if (Budget.Refuses(victim) is { } reason) return reason;
        _history.Fault($"node {victim.Id} is wiped");
        Empty(victim);
        Later(fault.DurationMs, () => Start(victim));
        return null;
    }

    /// <summary>The directory of a node whose damage cannot be repaired is taken away; it joins again as a new one.</summary>
    private void Replace(SimulatedNode node)
    {
        _history.Fault($"node {node.Id} gets an empty directory");
        Budget.Observe();
        Empty(node);
        Start(node);
    }

    private void Empty(SimulatedNode node)
    {
        node.PausedUntilMicroseconds = 0;
        node.StartsFailed = 0;
        node.FailSalt = 1;
        _armed.Remove(node.Id);
        _stopping.Remove(node.Id);
        _cluster.Crash(node, CrashMode.PowerLoss);
        _cluster.Wipe(node);
        Budget.Wiped(node);
    }

    /// <summary>Who was asked to stop and has done so is down from now on. True when anybody is.</summary>
    public bool ReapStopped()
    {
        if (_stopping.Count == 0) return false;
        bool worked = false;
        foreach ((NodeId id, (Task stopped, long downMs)) in _stopping.ToList())
        {
            if (!stopped.IsCompleted) continue;
            Require.That(stopped.IsCompletedSuccessfully, $"node {id} stops without an error: {stopped.Exception}");
            _stopping.Remove(id);
            SimulatedNode node = _cluster[id.Value];
            Budget.Observe();
            _cluster.Forget(node);
            _history.Fault($"node {id} has stopped");
            if (IsHealed(node)) Later(downMs, () => Start(node));
            worked = true;
        }

        return worked;
    }

    private long TimeOf(FaultEvent fault) => _startedAt + (fault.AtMs * 1000);

    private void Later(long ms, Action action) => _endings.Enqueue(action, (Now + (ms * 1000), _order++));
}
