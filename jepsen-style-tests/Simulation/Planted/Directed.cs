using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// Rounds of faults, each a small story that a certain mistake gets wrong. An election timeout is 300 ms: who hears no leader campaigns
/// after 300 to 600 ms, and a leader who hears nobody is none any more after as long.
/// </summary>
internal static class Directed
{
    /// <summary>Even: cuts leave connections open, so that nobody is told by a closed one.</summary>
    private const ulong Quietly = 2;

    private static FaultTarget Leader => FaultTarget.LeaderOf(0);

    /// <summary>The leader dies while the others do not hear each other for a moment: both campaign in one term.</summary>
    public static FaultEvent[] VotesSplit(SplitMix64 random)
    {
        var events = new List<FaultEvent>();
        long clogMs = 30 + random.NextBelow(30);
        for (int from = 1; from <= 3; from++)
        {
            for (int to = 1; to <= 3; to++)
            {
                if (from != to) events.Add(new FaultEvent(0, FaultKind.Clog, Node(from), Node(to), clogMs));
            }
        }

        events.Add(new FaultEvent(1, FaultKind.Die, Leader, DurationMs: 500));
        return [.. events];
    }

    /// <summary>
    /// Nothing that node 1 sends arrives from 402 on, and what the others had answered before reaches it late: from node 2 when it would
    /// else step down, from node 3 when there is another leader.
    /// </summary>
    public static FaultEvent[] AnswersComeLate(SplitMix64 random)
    {
        long lateMs = 800 + random.NextBelow(60);
        return
        [
            .. LedBy(1),
            new FaultEvent(340, FaultKind.Clog, Node(2), Node(1), 220),
            new FaultEvent(340, FaultKind.Clog, Node(3), Node(1), lateMs - 340),
            .. Cut(402, 700, (1, 2), (1, 3), (2, 1), (3, 1)),
        ];
    }

    /// <summary>
    /// Node 5 hears of a new leader while its disk hangs, dies, and comes back to the old leader, who does not know yet that it is none.
    /// </summary>
    public static FaultEvent[] TermIsForgotten(SplitMix64 random)
    {
        long diesMs = 830 + random.NextBelow(40);
        return
        [
            .. LedBy(1),
            new FaultEvent(340, FaultKind.Clog, Node(2), Node(1), 260),
            new FaultEvent(340, FaultKind.Clog, Node(3), Node(1), 260),
            .. Cut(402, diesMs - 402, (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (3, 1), (4, 1), (5, 1)),
            new FaultEvent(402, FaultKind.HangLog, Node(5), DurationMs: 1_000, Salt: Quietly),
            .. Cut(diesMs, 400, (1, 2), (1, 3), (1, 4), (2, 1), (3, 1), (4, 1), (5, 2), (5, 3), (5, 4), (2, 5), (3, 5), (4, 5)),
            new FaultEvent(diesMs + 1, FaultKind.Die, Node(5), DurationMs: 3),
        ];
    }

    /// <summary>
    /// Node 3 leads and is cut off; of the others one is elected, the other loses its disk, and meets node 3 while the new leader is cut
    /// off in turn: it must not vote in that term once more.
    /// </summary>
    public static FaultEvent[] VoterIsWiped(SplitMix64 random)
    {
        long wipedMs = 1_000 + random.NextBelow(60);
        return
        [
            .. LedBy(3),
            new FaultEvent(400, FaultKind.Isolate, Node(3), DurationMs: wipedMs + 60 - 400, Salt: Quietly),
            new FaultEvent(400, FaultKind.LoseMessages, Node(1), DurationMs: 1_400, Amount: (long)MessageKind.Append),
            new FaultEvent(400, FaultKind.LoseMessages, Node(2), DurationMs: 1_400, Amount: (long)MessageKind.Append),
            new FaultEvent(wipedMs, FaultKind.Wipe, Node(2), DurationMs: 20),
            // The one who leads has an entry of its own and is spared by the budget.
            new FaultEvent(wipedMs + 1, FaultKind.Wipe, Node(1), DurationMs: 20),
            new FaultEvent(wipedMs + 55, FaultKind.Isolate, Leader, DurationMs: 700, Salt: Quietly),
        ];
    }

    /// <summary>
    /// Node 5 comes back empty and meets only node 1, who leads and takes it in alone; meanwhile the others go on without both.
    /// </summary>
    public static FaultEvent[] MembershipIsOverwritten(SplitMix64 random) =>
    [
        .. LedBy(1),
        new FaultEvent(395, FaultKind.Wipe, Node(5), DurationMs: 20),
        .. Cut(398, 1_400 + random.NextBelow(300), [.. Pairs([1, 5], [2, 3, 4])]),
    ];

    /// <summary>Node 3 comes back empty, and when it has caught up with node 1, who leads, node 2 is cut off.</summary>
    public static FaultEvent[] NewVoterAndHalfAreAlone(SplitMix64 random) =>
    [
        .. LedBy(1),
        new FaultEvent(395, FaultKind.Wipe, Node(3), DurationMs: 20),
        new FaultEvent(398, FaultKind.Clog, Node(3), Node(1), 500),
        new FaultEvent(890 + random.NextBelow(10), FaultKind.Isolate, Node(2), DurationMs: 700, Salt: Quietly),
    ];

    /// <summary>Node 1 leads, and keeps to itself what it takes; the next one leads for a moment, and a third one meets node 1.</summary>
    public static FaultEvent[] TwoLeadersLater(SplitMix64 random)
    {
        long backMs = 870 + random.NextBelow(60);
        var events = new List<FaultEvent>(LedBy(1)) { new(400, FaultKind.Isolate, Node(1), DurationMs: backMs - 400, Salt: Quietly) };
        for (int turn = 0; turn < 4; turn++) events.Add(new FaultEvent(720 + (turn * 40), FaultKind.HandOver, Leader, Node(2 + (turn % 2))));
        return [.. events];
    }

    /// <summary>
    /// Node 1 leads and is cut off, takes much from its clients, and meets the others again when they have committed little and their
    /// leader has just died.
    /// </summary>
    public static FaultEvent[] LongerTailReturns(SplitMix64 random)
    {
        long backMs = 850 + random.NextBelow(120);
        return
        [
            .. LedBy(1),
            new FaultEvent(400, FaultKind.Isolate, Node(1), DurationMs: backMs + 1 - 400, Salt: Quietly),
            new FaultEvent(backMs, FaultKind.Die, Leader, DurationMs: 900),
        ];
    }

    /// <summary>
    /// Node 1 leads and is cut off; node 2 wants the vote of node 3, whose disk hangs, which dies and comes back to node 1 alone.
    /// </summary>
    public static FaultEvent[] VoteIsForgotten(SplitMix64 random)
    {
        long diesMs = 1_000 + random.NextBelow(60);
        return
        [
            .. LedBy(1),
            new FaultEvent(400, FaultKind.Isolate, Node(1), DurationMs: diesMs + 2 - 400, Salt: Quietly),
            new FaultEvent(402, FaultKind.HangLog, Node(3), DurationMs: 2_000),
            new FaultEvent(diesMs, FaultKind.Isolate, Node(2), DurationMs: 900, Salt: Quietly),
            new FaultEvent(diesMs + 1, FaultKind.Die, Node(3), DurationMs: 3),
        ];
    }

    /// <summary>Node 2 is told to lead and cannot be heard from then on: its term is higher than that of the leader who stays.</summary>
    public static FaultEvent[] MuteNodeIsToLead(SplitMix64 random) =>
    [
        .. LedBy(1),
        new FaultEvent(400, FaultKind.HandOver, Leader, Node(2)),
        new FaultEvent(400, FaultKind.Mute, Node(2), DurationMs: 700 + random.NextBelow(300), Salt: Quietly),
    ];

    /// <summary>
    /// Node 5 comes back empty; the leader that takes it in commits the first half of the change, and the others hear of that, but not of
    /// the second half before it dies: the next leader finds a change half done.
    /// </summary>
    public static FaultEvent[] LeaderDiesInAChange(SplitMix64 random) =>
    [
        .. LedBy(1),
        new FaultEvent(395, FaultKind.Wipe, Node(5), DurationMs: 20),
        new FaultEvent(398, FaultKind.Clog, Node(2), Node(1), 110),
        new FaultEvent(398, FaultKind.Clog, Node(3), Node(1), 110),
        new FaultEvent(398, FaultKind.Clog, Node(4), Node(1), 110),
        new FaultEvent(490, FaultKind.LoseMessages, Node(1), DurationMs: 600, Amount: (long)MessageKind.Append),
        new FaultEvent(600 + random.NextBelow(40), FaultKind.Die, Node(1), DurationMs: 600),
    ];

    /// <summary>Something in a node's log changes, and it starts anew.</summary>
    public static FaultEvent[] LogIsDamaged(SplitMix64 random)
    {
        FaultTarget node = Node(1 + (int)random.NextBelow(3));
        return
        [
            new FaultEvent(0, FaultKind.DamageLog, node),
            new FaultEvent(20 + random.NextBelow(100), FaultKind.Die, node, DurationMs: 20),
        ];
    }

    private static FaultTarget Node(int number) => FaultTarget.Node(number);

    /// <summary>From about 350 ms on a node leads, unless something is wrong already.</summary>
    private static FaultEvent[] LedBy(int number) => [new FaultEvent(0, FaultKind.HandOver, Leader, Node(number)), new FaultEvent(200, FaultKind.HandOver, Leader, Node(number))];

    private static IEnumerable<FaultEvent> Cut(long atMs, long durationMs, params (int From, int To)[] ways) =>
        ways.Select(way => new FaultEvent(atMs, FaultKind.CutOneWay, Node(way.From), Node(way.To), durationMs, Salt: Quietly));

    private static IEnumerable<(int From, int To)> Pairs(int[] ones, int[] others)
    {
        foreach (int one in ones)
        {
            foreach (int other in others)
            {
                yield return (one, other);
                yield return (other, one);
            }
        }
    }
}
