using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>
/// A cluster driven by hand: nothing moves unless the test says so. The checks of the random test watch here too.
/// </summary>
internal sealed class Lab : ISimWorld
{
    private readonly List<SimNode> _nodes = [];

    public Lab(int nodes, bool bootstrap = true)
    {
        Checks = new SafetyChecks(this);
        for (int id = 1; id <= nodes; id++) _nodes.Add(new SimNode(this, Entries.Member(id)));
        if (!bootstrap) return;
        foreach (SimNode node in _nodes) node.Start();
        foreach (SimNode node in _nodes) node.Bootstrap(Entries.Voters([.. Enumerable.Range(1, nodes)]));
        foreach (SimNode node in _nodes) node.Drain();
    }

    public IRandomSource Random { get; } = new SplitMix64(7);

    public long NowMs { get; set; } = 1_000;

    public SafetyChecks Checks { get; }

    public Action<string>? Trace => null;

    public List<(Message Message, Incarnation From)> InFlight { get; } = [];

    public List<(SimNode Node, CheckpointNeeded Needed)> Fetches { get; } = [];

    /// <summary>Nodes whose disks finish nothing.</summary>
    public HashSet<int> StuckDisks { get; } = [];

    public RaftNode this[int id] => _nodes[id - 1].Core ?? throw new InvalidOperationException($"node {id} is down");

    public SimNode Node(int id) => _nodes[id - 1];

    public SimNode Node(NodeId id) => _nodes[id.Value - 1];

    private HashSet<(int From, int To)> Cuts { get; } = [];

    public void Send(SimNode from, Message message) => InFlight.Add((message, from.Info.Incarnation));

    public void Fetch(SimNode node, CheckpointNeeded needed) => Fetches.Add((node, needed));

    public void Cut(int left, int right)
    {
        Cuts.Add((left, right));
        Cuts.Add((right, left));
    }

    public void Isolate(int node)
    {
        for (int other = 1; other <= _nodes.Count; other++) Cut(node, other);
    }

    public void Join() => Cuts.Clear();

    /// <summary>Delivers and syncs until nothing moves; messages into cut links are lost.</summary>
    public void Settle()
    {
        for (int round = 0; round < 10_000; round++)
        {
            foreach (SimNode node in _nodes)
            {
                node.Drain();
                if (!StuckDisks.Contains(node.Id.Value)) node.Sync(100);
                node.Drain();
            }

            if (InFlight.Count > 0) DeliverAt(0);
            else if (_nodes.TrueForAll(node => node.Disk.PendingWrites == 0 || StuckDisks.Contains(node.Id.Value))) return;
        }

        Assert.Fail("messages never end");
    }

    /// <summary>Delivers those messages in order, and what they cause only if it is chosen too. Returns how many.</summary>
    public int Deliver(Func<Message, bool> chosen)
    {
        int count = 0;
        for (int at = InFlight.FindIndex(packet => chosen(packet.Message)); at >= 0; at = InFlight.FindIndex(packet => chosen(packet.Message)))
        {
            DeliverAt(at);
            Assert.True(++count < 10_000, "messages never end");
        }

        return count;
    }

    public void Drop(Func<Message, bool> chosen) => InFlight.RemoveAll(packet => chosen(packet.Message));

    public void Sync(int id)
    {
        Node(id).Drain();
        Node(id).Sync(100);
        Node(id).Drain();
    }

    /// <summary>Time passes for everybody, in small steps.</summary>
    public void Advance(long ms)
    {
        for (long end = NowMs + ms; NowMs < end;)
        {
            NowMs = Math.Min(end, NowMs + 5);
            foreach (SimNode node in _nodes) node.Core?.Tick(NowMs);
            Settle();
        }
    }

    /// <summary>Only this node's clock rings: it campaigns, and with the links as they are it must win.</summary>
    public void Elect(int id)
    {
        NowMs = Math.Max(NowMs, this[id].NextDeadlineMs);
        this[id].Tick(NowMs);
        Settle();
        Assert.Equal(Role.Leader, this[id].Role);
    }

    public int Leader() => Assert.Single(_nodes, node => node.Core is { Role: Role.Leader }).Id.Value;

    public void Propose(int leader, int count = 1, int extraBytes = 0)
    {
        for (int i = 0; i < count; i++) Assert.True(Node(leader).Propose((ulong)NowMs + (ulong)i, extraBytes));
        Node(leader).Drain();
    }

    /// <summary>Gives a node that is down a durable log with these terms and a hard state; the first entry is the membership.</summary>
    public void Prepare(int id, long term, params long[] terms)
    {
        SimDisk disk = Node(id).Disk;
        disk.Save(new HardState(new Term(term), NodeId.None));
        MembershipRecord members = Entries.Voters([.. Enumerable.Range(1, _nodes.Count)]);
        disk.Append(
        [
            LogEntry.ForMembership(Entries.Shard, new Term(terms[0]), new LogIndex(1), 0, members),
            .. terms.Skip(1).Select((entryTerm, i) => Entries.Job(entryTerm, i + 2, (ulong)entryTerm, extraBytes: 350)),
        ]);
        disk.Sync(2);
        Node(id).Start();
    }

    public long[] TermsOf(int id)
    {
        var terms = new List<long>();
        for (long at = 1; Node(id).Disk.TermAt(new LogIndex(at)) is { } term; at++) terms.Add(term.Value);
        return [.. terms];
    }

    private void DeliverAt(int at)
    {
        (Message message, Incarnation from) = InFlight[at];
        InFlight.RemoveAt(at);
        SimNode to = Node(message.To);
        if (to.Core is null || Cuts.Contains((message.From.Value, message.To.Value))) return;
        message.FromIncarnation = from;
        to.Core.Step(message, NowMs);
        to.Drain();
    }
}
