using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>One seed: faults and clients for a while, then everything heals, drains and is checked.</summary>
internal sealed partial class SeedRun : IDisposable
{
    private const long LeastMs = 60_000;

    /// <summary>Everything that has to happen after faults ended happens within this, and is counted from there where it can be.</summary>
    private const long RecoveryMs = 20_000;
    private const long LossyRecoveryMs = 60_000; // a message lost on the way to a leader who is not healed costs a call all its patience

    private const long MostBehindMs = 1_000;

    private readonly SimulatedCluster _cluster;
    private readonly ClusterWatch _watch;
    private readonly FaultInjector _faults;
    private readonly List<SimulatedClient> _clients = [];
    private readonly SeedEnd _end;
    private readonly long _startedAt;
    private readonly RandomStreams _streams;

    /// <summary>What the seed draws.</summary>
    public SeedRun(ulong seed)
        : this(seed, SeedPlan.Draw(new RandomStreams(seed)))
    {
    }

    /// <summary>Any plan, with the load and the faults that the seed draws for it.</summary>
    public SeedRun(ulong seed, SeedPlan plan)
        : this(seed, plan, FaultSchedule.Draw(plan, new RandomStreams(seed)), plan.DrawWorkload(new RandomStreams(seed)))
    {
    }

    /// <summary>Any plan, faults and load; all other chance comes from the seed's streams.</summary>
    public SeedRun(ulong seed, SeedPlan plan, FaultSchedule schedule, Workload workload)
    {
        Plan = plan;
        Schedule = schedule;
        Workload = workload;
        var streams = new RandomStreams(seed);
        _cluster = new SimulatedCluster(
            plan.Nodes,
            plan.Shards,
            streams.SeedOf("cluster"),
            options => options with
            {
                CheckpointLogMiB = 1,
                ResidentPagesPerShard = plan.ResidentPagesFor(workload),
                MemoryBudgetMiB = 64,
                MaxPendingRequests = plan.MaxPendingRequests,
                MaxPendingBytes = plan.MaxPendingBytes,
                MaxLeaseWaiters = plan.MaxLeaseWaiters,
                MaxOpenReads = plan.MaxOpenReads,
                Settings = workload.Settings,
            });
        _cluster.Network.MaxQueuedBytes = plan.MaxQueuedBytes;
        _startedAt = Now;
        History = new History(() => Now, _cluster.Tell);
        Findings = new Findings(() => Story);
        _watch = new ClusterWatch(_cluster, plan.Shards, Findings)
        {
            MostDriftPpm = schedule.Events.Where(fault => fault.Kind == FaultKind.DriftClock).Select(fault => Math.Abs(fault.Amount)).Append(0).Max(),
            MostLateMs = plan.Weather.MostLate(),
        };
        _faults = new FaultInjector(_cluster, schedule, History, _watch.Disks, plan.Shards);
        _faults.Stops = _watch.Stops;
        _streams = streams;
        var shared = new ClientShared();
        IReadOnlyList<ClientStep> steps = workload.Steps(plan.DurationMs, streams);
        for (int i = 0; i < workload.AllClients; i++)
        {
            _clients.Add(new SimulatedClient(_cluster, workload, steps, History, shared, i));
        }

        _end = new SeedEnd(_cluster, _watch, History, workload);
    }

    public SeedPlan Plan { get; }

    public FaultSchedule Schedule { get; }

    public Workload Workload { get; }

    public History History { get; }

    /// <summary>All that is wrong with the run.</summary>
    public Findings Findings { get; }

    public int Faults => _faults.Made.Values.Sum();

    /// <summary>How long recovery took.</summary>
    public RecoveryTimes Times { get; } = new();

    /// <summary>How late jobs became ready, of all and of those whose time came after the heal, ms.</summary>
    public (IReadOnlyList<long> All, IReadOnlyList<long> Healed) LateMs => _end.LateMs;

    /// <summary>How often more was due than one entry may carry out.</summary>
    public ModelBehind Behind => _end.Behind;

    public IReadOnlyDictionary<FaultKind, int> FaultsMade => _faults.Made;

    /// <summary>Faults that could not happen when their time came.</summary>
    public IReadOnlyDictionary<FaultKind, int> FaultsLeftOut => _faults.LeftOut;

    /// <summary>Operations of disks that failed.</summary>
    public long DiskErrors => _cluster.Nodes.Sum(node => node.DiskErrors);

    /// <summary>What was looked at.</summary>
    public RunTally Tally { get; } = new();

    /// <summary>Gets every line of the timeline as it comes.</summary>
    public Action<string>? Watch
    {
        set => _cluster.Timeline.Watch = value;
    }

    /// <summary>Over everything that happened: frames, slices, disk operations, calls and faults.</summary>
    public ulong Hash => SplitMix64.Mix(History.EventHash ^ _cluster.Digest);

    /// <summary>Slices of loops, disk operations, chunks of bytes and calls.</summary>
    public long Events => _cluster.Events + History.Operations.Count;

    public double SimulatedSeconds => (Now - _startedAt) / 1e6;

    public int Entries => _watch.Entries;

    public PagesCompared Pages => _watch.Pages.Compared;

    public string Story => $"{Plan}\n{Workload}\n{_cluster.Timeline}\n{string.Join('\n', _cluster.Nodes.SelectMany(Describe))}\nlast calls:\n{string.Join('\n', History.Operations.TakeLast(25))}";

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    /// <summary>
    /// Never throws: what is wrong is in <see cref="Findings"/>. A run that cannot go on to its end is judged by what there is.
    /// </summary>
    public void Run()
    {
        bool ended = Findings.Try(Go);
        Tally.LivesEnded = _watch.LivesEnded;
        Tally.LivesUnseen = _watch.LivesUnseen;
        Tally.StartsJudged = _faults.StartsJudged;
        Tally.StartsExcused = _faults.StartsExcused;
        Tally.StartsThatFailed = _faults.StartsThatFailed;
        Tally.Evictions = _cluster.Nodes.Sum(node => node.Evictions);
        _end.Judge(Findings, ended);
    }

    public void Dispose() => _cluster.Dispose();

    private void Go()
    {
        _cluster.AfterStep = () =>
        {
            // Who has stopped in good order has given back all that there was to look at.
            _faults.ReapStopped();
            // Before a fault takes a node away, and as a life begins.
            _watch.AfterStep();
            if (_faults.RunDue()) _watch.AfterStep();
            foreach (SimulatedClient client in _clients) client.Poll();
        };
        _cluster.Network.Weather = Plan.Weather;
        _cluster.StartAll();
        Disturb();
        if (Plan.HealsMajorityFirst) DemandProgressOfMajority(_streams.Open("majority"));
        Heal();
        _end.Drain();
        _cluster.RunFor(Math.Max(0, LeastMs - ((Now - _startedAt) / 1000)));
    }

    private void Disturb()
    {
        long end = Now + (Plan.DurationMs * 1000);
        while (Now < end)
        {
            foreach (SimulatedClient client in _clients) client.Act();
            long next = Math.Min(end, _faults.NextMicroseconds);
            foreach (SimulatedClient client in _clients) next = Math.Min(next, client.NextMicroseconds);
            _cluster.Step(Math.Max(next, Now + 1));
        }
    }

    /// <summary>P11: everybody is back, knows a leader, is a voter and takes jobs within bounded time.</summary>
    private void Heal()
    {
        long since = Now;
        _end.Recovery = (History.NextNs(), RecoveryMs * 1_000_000);
        _faults.HealAll();
        _cluster.RunUntil(_faults.StartHealed, "all nodes run", RecoveryMs, 20);
        int turn = 0;
        if (DemandProgress("q0", () => _cluster.Nodes[turn++ % _cluster.Nodes.Count], since).IsShown) Times.FirstAnswerMs.Add((Now - since) / 1000);
        _cluster.RunUntil(
            () => Enumerable.Range(0, Plan.Shards).All(shard => _cluster.Leader(shard) is not null), "every shard has a leader", RecoveryMs, 20);
        _cluster.RunUntil(
            () =>
            {
                _faults.RestoreMembers();
                return _cluster.Nodes.TrueForAll(node => node.Node!.IsReady) && Enumerable.Range(0, Plan.Shards).All(IsWhole);
            },
            "every node is a voter of every shard and ready",
            RecoveryMs,
            20);
        Times.WholeMs.Add((Now - since) / 1000);
        _faults.NothingIsDamaged();
        _cluster.RunUntil(() => _clients.TrueForAll(client => client.IsIdle), "every call ends", 25_000, 20);
        for (int shard = 0; shard < Plan.Shards; shard++) CorrectTime(shard);
        _end.HealedMs = _cluster.Clock.WallUnixMs;
        _end.TryEveryNode();
    }

    /// <summary>
    /// What an operator does (docs/consistency.md, Time): a leader of three that was elected while one was out of reach, and the other's
    /// clock or its own slow, is behind and catches up by a tenth only; with all of them connected another one begins with the right time.
    /// </summary>
    private void CorrectTime(int shard)
    {
        SimulatedNode leader = _cluster.AwaitLeader(shard);
        if (BehindMs(leader, shard) <= MostBehindMs) return;
        SimulatedNode next = _cluster.Nodes.First(node => node != leader);
        History.Fault($"shard {shard} is {BehindMs(leader, shard)} ms behind: node {leader.Id} is asked to hand it over to node {next.Id}");
        leader.Node!.Parts.Replica.Post(new HandOver(new ShardId((ushort)shard), next.Id));
        _cluster.RunUntil(
            () => _cluster.Leader(shard) is { } now && BehindMs(now, shard) <= MostBehindMs, "a new leader begins with the right time", RecoveryMs, 20);
    }

    private static long BehindMs(SimulatedNode leader, int shard) =>
        leader.Clock.TrueUnixMs - leader.Node!.Parts.Replica.Shards[shard].Clock.NowMs;

    private static IEnumerable<string> Describe(SimulatedNode node) => node.Node is not { } running
        ? [$"node {node.Id} does not run"]
        : running.Parts.Replica.Shards.Select(shard =>
            $"node {node.Id} {running.Parts.Shared.Incarnation} shard {shard.Shard}: {shard.Raft.Role} of {shard.Raft.Term}, leader {shard.Raft.Leader}, "
            + $"log to {shard.Raft.LastIndex}, committed {shard.Raft.CommitIndex}, applied {shard.Link.AppliedIndex}, "
            + $"cluster time behind by {(shard.Raft.Role == Consensus.Role.Leader ? BehindMs(node, shard.Shard.Value) : 0)} ms, {shard.Raft.Membership} "
            + $"({string.Join(' ', shard.Raft.Membership?.Voters.Select(voter => voter.Incarnation) ?? [])})");

    private bool IsWhole(int shard) => _cluster.Nodes.TrueForAll(node =>
        node.Node!.Parts.Replica.Shards[shard].Raft.Membership is { IsJoint: false } membership
        && _cluster.Nodes.TrueForAll(each =>
            membership.IsVoter(each.Id) && membership.Names(each.Id, each.Node!.Parts.Shared.Incarnation)));
}
