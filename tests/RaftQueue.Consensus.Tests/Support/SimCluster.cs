using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>
/// A few cores in one thread over a network that loses, repeats and reorders, with a fault schedule drawn from one seed.
/// </summary>
internal sealed class SimCluster : ISimWorld
{
    private readonly List<Packet> _packets = [];
    private readonly List<(SimNode Node, CheckpointNeeded Needed)> _fetches = [];
    private readonly HashSet<(NodeId, NodeId)> _cut = [];
    private readonly MembershipRecord _initial;
    private readonly int _lossPercent;
    private readonly int _repeatPercent;
    private ulong _payload;
    private ulong _incarnations = 1_000;
    private bool _healed;

    public SimCluster(ulong seed, int nodes, Action<string>? trace = null)
    {
        Trace = trace;
        Random = new SplitMix64(SplitMix64.Mix(seed ^ 0xC0FFEE));
        Checks = new SafetyChecks(this);
        for (int id = 1; id <= nodes; id++) Nodes.Add(new SimNode(this, Entries.Member(id)));
        _initial = Entries.Voters([.. Enumerable.Range(1, nodes)]);
        _lossPercent = (int)Math.Max(0, Random.NextBelow(6) - 2) * 10;
        _repeatPercent = (int)Random.NextBelow(4) * 15;
        foreach (SimNode node in Nodes) node.Start();
        foreach (SimNode node in Nodes) node.Bootstrap(_initial);
    }

    public IRandomSource Random { get; }

    public Action<string>? Trace { get; }

    public SafetyChecks Checks { get; }

    public long NowMs { get; private set; } = 1_000;

    public List<SimNode> Nodes { get; } = [];

    public int Wipes { get; private set; }

    public int CheckpointsReceived { get; private set; }

    public SimNode Node(NodeId id) => Nodes[id.Value - 1];

    public void Send(SimNode from, Message message)
    {
        if (_packets.Count < 4_000) _packets.Add(new Packet(message, from.Info.Incarnation));
    }

    public void Fetch(SimNode node, CheckpointNeeded needed)
    {
        _fetches.RemoveAll(fetch => fetch.Node == node);
        _fetches.Add((node, needed));
    }

    /// <summary>One random event of the safety phase.</summary>
    public void Step()
    {
        long dice = Random.NextBelow(1_000);
        SimNode node = Nodes[(int)Random.NextBelow(Nodes.Count)];
        if (dice < 430) DeliverSome();
        else if (dice < 600) node.Sync(1 + (int)Random.NextBelow(3));
        else if (dice < 650) SyncAll();
        else if (dice < 780) PassTime(1 + Random.NextBelow(20));
        else if (dice < 870) ProposeSomewhere();
        else if (dice < 915) AskLeadersToRead();
        else if (dice < 920) PassTime(50 + Random.NextBelow(400));
        else if (dice < 932) CrashOrRestart(node);
        else if (dice < 960) node.TakeCheckpoint();
        else if (dice < 976) ReceiveCheckpoint(Random.NextBelow(4) == 0);
        else if (dice < 981) ToggleCut(node);
        else if (dice < 986) node.Core?.TransferLeadership(NodeId.None, NowMs);
        else if (dice < 988) node.Core?.StepDown("test", NowMs);
        else if (dice < 993) MaybeWipe(node);
        else CloseConnection(node);
        if (Random.NextBelow(8) != 0) node.Drain();
        if (Random.NextBelow(4) == 0) TellIncarnations();
    }

    /// <summary>All faults end; everybody must converge within the time given. Returns what is missing, or null.</summary>
    public string? Heal(long withinMs)
    {
        _healed = true;
        _cut.Clear();
        foreach (SimNode node in Nodes.Where(node => node.Core is null)) node.Start();
        foreach (SimNode node in Nodes)
        {
            foreach (SimNode other in Nodes.Where(other => other != node)) node.Core!.ConnectionOpened(other.Id, NowMs);
        }

        long end = NowMs + withinMs;
        LogIndex before = Checks.HighestCommitted;
        string? missing = "nothing happened";
        for (int round = 0; NowMs < end; round++)
        {
            RunAWhile(round);
            if (round % 16 != 0) continue;
            if (Checks.HighestCommitted == before) ProposeSomewhere();
            missing = Missing();
            if (missing is null && Checks.HighestCommitted > before) return null;
        }

        return missing ?? "nothing new was committed";
    }

    private void RunAWhile(int round)
    {
        NowMs += 3;
        foreach (SimNode node in Nodes)
        {
            if (node.Core!.NextDeadlineMs <= NowMs) node.Core.Tick(NowMs);
            node.Drain();
            node.Sync(100);
            node.Drain();
        }

        for (int i = _packets.Count; i > 0; i--) Deliver();
        if (round % 7 == 0) ReceiveCheckpoint(crashInside: false);
        if (round % 16 == 0) TellIncarnations();
    }

    private string? Missing()
    {
        SimNode? leader = Nodes.Find(node => node.Core is { LeaderReady: true });
        if (leader is null) return "no leader";
        MembershipRecord members = leader.Core!.Membership!;
        if (members.IsJoint || members.Voters.Count != Nodes.Count) return $"membership is still {members}";
        foreach (SimNode node in Nodes)
        {
            RaftNode core = node.Core!;
            if (core.CommitIndex != leader.Core.LastIndex) return $"node {node.Id} committed {core.CommitIndex} of {leader.Core.LastIndex}";
            if (!core.Membership!.Names(node.Id, node.Info.Incarnation)) return $"node {node.Id} is not named";
            if (core.Leader != leader.Id) return $"node {node.Id} follows {core.Leader}";
        }

        return null;
    }

    private void Deliver()
    {
        if (_packets.Count == 0) return;
        int at = _healed ? 0 : (int)Random.NextBelow(Math.Min(_packets.Count, 12));
        Packet packet = _packets[at];
        bool repeat = !_healed && Random.NextBelow(100) < _repeatPercent;
        if (!repeat) _packets.RemoveAt(at);
        if (!_healed && Random.NextBelow(100) < _lossPercent) return;
        SimNode to = Node(packet.Message.To);
        if (to.Core is null || _cut.Contains((packet.Message.From, packet.Message.To))) return;
        packet.Message.FromIncarnation = packet.From;
        Trace?.Invoke($"{NowMs} {Show.Text(packet.Message)}");
        to.Core.Step(packet.Message, NowMs);
        if (_healed || Random.NextBelow(8) != 0) to.Drain();
    }

    private void DeliverSome()
    {
        for (long i = Random.NextBelow(3 * Nodes.Count); i >= 0; i--) Deliver();
    }

    private void SyncAll()
    {
        foreach (SimNode node in Nodes)
        {
            node.Drain();
            node.Sync(100);
            node.Drain();
        }
    }

    private void AskLeadersToRead()
    {
        foreach (SimNode leader in Nodes.Where(node => node.Core is { Role: Role.Leader })) leader.AskToRead();
    }

    private void PassTime(long ms)
    {
        foreach (SimNode node in Nodes) node.Drain();
        NowMs += ms;
        foreach (SimNode node in Nodes)
        {
            if (node.Core is { } core && core.NextDeadlineMs <= NowMs && Random.NextBelow(10) != 0) core.Tick(NowMs);
            node.Drain();
        }
    }

    private bool ProposeSomewhere()
    {
        bool any = false;
        foreach (SimNode node in Nodes)
        {
            if (node.Core is not { Role: Role.Leader }) continue;
            any |= node.Propose(++_payload, (int)Random.NextBelow(150));
            node.Drain();
        }

        return any;
    }

    private void CrashOrRestart(SimNode node)
    {
        if (node.Core is null) Restart(node);
        else if (Random.NextBelow(3) != 0) Crash(node);
        foreach (SimNode down in Nodes.Where(other => other.Core is null && other != node))
        {
            if (Random.NextBelow(3) == 0) Restart(down);
        }
    }

    private void Crash(SimNode node)
    {
        node.Crash();
        foreach (SimNode other in Nodes.Where(other => other.Core is not null && Random.NextBelow(2) == 0))
        {
            other.Core!.ConnectionClosed(node.Id, NowMs);
        }
    }

    private void Restart(SimNode node)
    {
        node.Start();
        foreach (SimNode other in Nodes.Where(other => other.Core is not null && other != node))
        {
            other.Core!.ConnectionOpened(node.Id, NowMs);
            node.Core!.ConnectionOpened(other.Id, NowMs);
        }
    }

    private void ToggleCut(SimNode node)
    {
        if (_cut.Count > 0 && Random.NextBelow(2) == 0)
        {
            _cut.Clear();
            return;
        }

        SimNode other = Nodes[(int)Random.NextBelow(Nodes.Count)];
        bool whole = Random.NextBelow(3) == 0;
        bool oneWay = Random.NextBelow(3) == 0;
        foreach (SimNode peer in Nodes.Where(peer => peer != node && (whole || peer == other)))
        {
            _cut.Add((node.Id, peer.Id));
            if (!oneWay) _cut.Add((peer.Id, node.Id));
        }
    }

    private void CloseConnection(SimNode node)
    {
        SimNode other = Nodes[(int)Random.NextBelow(Nodes.Count)];
        if (node == other) return;
        node.Core?.ConnectionClosed(other.Id, NowMs);
        if (Random.NextBelow(2) == 0) node.Core?.ConnectionOpened(other.Id, NowMs);
    }

    private void ReceiveCheckpoint(bool crashInside)
    {
        if (_fetches.Count == 0) return;
        (SimNode node, CheckpointNeeded needed) = _fetches[0];
        _fetches.RemoveAt(0);
        SimNode from = Node(needed.From);
        if (node.Core is null || from.Core is null || from.Disk.CheckpointIndex < needed.Index) return;
        CheckpointsReceived++;
        node.Receive(from.Disk.CheckpointIndex, from.Disk.CheckpointTerm, from.Disk.CheckpointMembership!, crashInside);
    }

    /// <summary>Wipes a node only while the cluster is whole: Raft promises nothing when a majority loses its disks.</summary>
    private void MaybeWipe(SimNode node)
    {
        SimNode? leader = Nodes.Find(other => other.Core is { LeaderReady: true });
        MembershipRecord? members = leader?.Core!.Membership;
        if (members is null || leader!.Core!.MembershipIndex > leader.Core.CommitIndex || members.IsJoint) return;
        bool whole = Nodes.All(other => members.Voters.Any(voter => voter.Id == other.Id && voter.Incarnation == other.Info.Incarnation));
        if (!whole) return;
        Wipes++;
        node.Wipe(new Incarnation(++_incarnations));
    }

    /// <summary>Leaders learn in handshakes under which incarnation their peers live.</summary>
    private void TellIncarnations()
    {
        foreach (SimNode leader in Nodes.Where(node => node.Core is { Role: Role.Leader }))
        {
            foreach (SimNode peer in Nodes.Where(peer => peer.Core is not null && peer != leader))
            {
                if (_cut.Contains((peer.Id, leader.Id))) continue;
                MemberInfo? member = leader.Core!.Membership?.Find(peer.Id);
                if (member is null || member.Incarnation == peer.Info.Incarnation) continue;
                leader.Core.PeerIncarnation(peer.Id, peer.Info.Incarnation, peer.Info, NowMs);
            }

            leader.Drain();
        }
    }

    private readonly record struct Packet(Message Message, Incarnation From);
}
