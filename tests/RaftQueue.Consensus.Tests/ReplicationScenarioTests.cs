using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>Numbers in names are those of the likeliest bugs in RELIABILITY.md.</summary>
public sealed class ReplicationScenarioTests
{
    [Fact]
    public void Bug03_Figure8_AnEntryOfAnOlderTermIsNotCommittedByCounting()
    {
        var lab = new Lab(5, bootstrap: false);
        lab.Prepare(1, 3, 1, 2);
        lab.Prepare(2, 3, 1, 2);
        lab.Prepare(3, 3, 1);
        lab.Prepare(4, 3, 1);
        lab.Prepare(5, 3, 1, 3);

        // (c) S1 leads term 4 and brings 2/2 to S3: a majority holds it, yet only entries of term 4 may be counted.
        lab.Isolate(4);
        lab.Isolate(5);
        lab.NowMs = lab[1].NextDeadlineMs;
        lab[1].Tick(lab.NowMs);
        lab.Node(1).Drain();
        while (lab[1].Role != Role.Leader)
        {
            lab.Deliver(message => message.Kind is MessageKind.PreVote or MessageKind.PreVoteReply or MessageKind.Vote or MessageKind.VoteReply);
            for (int id = 1; id <= 3; id++) lab.Sync(id);
        }

        for (int i = 0; i < 10; i++)
        {
            lab.Deliver(message => message.To.Value != 2 && message.From.Value != 2 && message.Entries.All(entry => entry.Term.Value < 4));
            lab.Sync(3);
        }

        Assert.Equal(new Term(4), lab[1].LastTerm);
        Assert.Equal([1, 2], lab.TermsOf(3));
        Assert.Equal(new LogIndex(2), Assert.Single(lab[1].DescribePeers(), peer => peer.Id.Value == 3).Match);
        Assert.Equal(LogIndex.Zero, lab[1].CommitIndex);

        // (d) S1 crashes, S5 is elected by S3 and S4 and overwrites 2/2: allowed, because it was not committed.
        lab.Node(1).Crash();
        lab.InFlight.Clear();
        lab.Join();
        lab.Isolate(1);
        lab.Isolate(2);
        lab.Advance(3_000);
        Assert.Equal(5, lab.Leader());
        Assert.Equal([1, 3], lab.TermsOf(3)[..2]);

        // Everybody ends with S5's log.
        lab.Node(1).Start();
        lab.Join();
        lab.Advance(2_000);
        for (int id = 1; id <= 5; id++) Assert.Equal(lab.TermsOf(5), lab.TermsOf(id));
    }

    [Fact]
    public void Bug03_TheLeaderCountsItselfOnlyByItsOwnDisk()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(3);
        lab.StuckDisks.Add(1);
        LogIndex before = lab[1].CommitIndex;
        lab.Propose(1);
        lab.Settle();
        Assert.Equal(before.Next, lab[2].DurableIndex);
        Assert.Equal(before, lab[1].CommitIndex);
        lab.StuckDisks.Clear();
        lab.Settle();
        Assert.Equal(before.Next, lab[1].CommitIndex);
    }

    [Fact]
    public void Bug04_NoReadsBeforeAnEntryOfTheOwnTermIsCommitted()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Propose(1, 3);
        lab.Settle();
        lab.Isolate(1);
        lab.StuckDisks.Add(3);
        lab.NowMs = lab[2].NextDeadlineMs;
        lab[2].Tick(lab.NowMs);
        lab.Settle();
        lab.Sync(3);
        lab.Settle();
        Assert.Equal(Role.Leader, lab[2].Role);
        Assert.False(lab[2].LeaderReady);
        lab.Node(2).AskToRead();
        lab.Settle();
        Assert.Equal(0, lab.Checks.ReadsGranted);
        Assert.Empty(lab.Node(2).Reads);

        lab.StuckDisks.Clear();
        lab.Settle();
        Assert.True(lab[2].LeaderReady);
        lab.Node(2).AskToRead();
        lab.Settle();
        Assert.Equal(1, lab.Checks.ReadsGranted);
    }

    [Fact]
    public void Bug05_LateRepliesToAnOlderRoundConfirmNothingNewer()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Node(1).AskToRead();
        lab.Node(1).Drain();
        lab.Deliver(message => message.Kind == MessageKind.Heartbeat);
        List<Message> old = [.. lab.InFlight.Select(packet => packet.Message)];
        Assert.Equal(2, old.Count);
        lab.Deliver(message => message.Kind == MessageKind.HeartbeatReply);
        Assert.Equal(1, lab.Checks.ReadsGranted);

        lab.Node(1).AskToRead();
        lab.Node(1).Drain();
        lab.Drop(message => true);
        foreach (Message late in old) lab[1].Step(late, lab.NowMs);
        lab.Node(1).Drain();
        Assert.Equal(1, lab.Checks.ReadsGranted);
        lab.Advance(60);
        Assert.Equal(2, lab.Checks.ReadsGranted);
    }

    [Fact]
    public void Bug05_ALeaderThatWasPausedGrantsNothingFromBefore()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Node(1).AskToRead();
        lab.Node(1).Drain();
        lab.Deliver(message => message.Kind == MessageKind.Heartbeat);

        // The process stops here; the replies wait in its sockets while others elect a leader and commit.
        List<(Message Message, Incarnation From)> waiting = [.. lab.InFlight];
        lab.InFlight.Clear();
        lab.Isolate(1);
        lab.NowMs += 2_000;
        foreach (int id in new[] { 2, 3 }) lab[id].Tick(lab.NowMs);
        lab.Settle();
        lab.NowMs += 100;
        foreach (int id in new[] { 2, 3 }) lab[id].Tick(lab.NowMs);
        lab.Settle();
        foreach ((Message message, Incarnation _) in waiting) lab[1].Step(message, lab.NowMs);
        lab.Node(1).Drain();
        Assert.Equal(0, lab.Checks.ReadsGranted);

        lab.Join();
        lab.Advance(1_500);
        Assert.Equal(0, lab.Checks.ReadsGranted);
        Assert.Empty(lab.Node(1).Reads);
    }

    [Fact]
    public void APausedLeaderIsNotKeptByWhatItHeardBefore()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Advance(40);
        ulong stale = 1;
        lab.Isolate(1);
        lab.NowMs += 1_000;
        lab[1].Tick(lab.NowMs);
        for (int i = 0; i < 20; i++)
        {
            lab.NowMs += 50;
            foreach (int from in new[] { 2, 3 })
            {
                lab[1].Step(
                    new Message
                    {
                        Kind = MessageKind.HeartbeatReply, From = new NodeId(from), To = new NodeId(1), Term = lab[1].Term, Context = stale,
                    },
                    lab.NowMs);
            }

            lab[1].Tick(lab.NowMs);
        }

        Assert.NotEqual(Role.Leader, lab[1].Role);
    }

    [Fact]
    public void Bug07_OnlyWhatIsKnownToMatchIsAcknowledged()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 2, 1, 1, 1, 1, 1);
        Message reply = AnswerTo(lab, Append(2, 3, previous: 2, previousTerm: 1));
        Assert.False(reply.Reject);
        Assert.Equal(new LogIndex(2), reply.Index);

        reply = AnswerTo(lab, Append(2, 3, previous: 9, previousTerm: 3));
        Assert.True(reply.Reject);
        Assert.Equal(new LogIndex(5), reply.HintIndex);
        Assert.Equal(new Term(1), reply.HintTerm);

        // A stale term gets no more than the news that it is stale.
        reply = AnswerTo(lab, Append(3, 1, previous: 2, previousTerm: 1));
        Assert.True(reply.Reject);
        Assert.Equal(new Term(3), reply.Term);
    }

    [Fact]
    public void Bug08_ALateAppendTruncatesNothing()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 1, 1);
        LogEntry[] entries = [.. Enumerable.Range(2, 5).Select(index => Entries.Job(1, index, (ulong)index))];
        AnswerTo(lab, Append(2, 1, previous: 1, previousTerm: 1, entries: entries));
        Assert.Equal(new LogIndex(6), lab[1].LastIndex);
        Message reply = AnswerTo(lab, Append(2, 1, previous: 1, previousTerm: 1, entries: entries[..2]));
        Assert.Equal(new LogIndex(6), lab[1].LastIndex);
        Assert.Equal(new LogIndex(6), reply.Index);
    }

    [Fact]
    public void Bug08_WhatIsCommittedIsNeverOverwritten()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 1, 1);
        LogEntry[] entries = [Entries.Job(1, 2, 2), Entries.Job(1, 3, 3)];
        lab[1].Step(Append(2, 1, previous: 1, previousTerm: 1, entries: entries, commit: 3), lab.NowMs);
        Assert.Equal(new LogIndex(3), lab[1].CommitIndex);

        // A leader whose log conflicts with what is committed cannot exist; nothing goes on when one seems to.
        Message impossible = Append(3, 2, previous: 3, previousTerm: 2, entries: [Entries.Job(2, 4, 4)]);
        Assert.Throws<InvariantViolationException>(() => lab[1].Step(impossible, lab.NowMs));
    }

    [Fact]
    public void AnOverwriteWaitsUntilTheOneBeforeItIsDurable()
    {
        var lab = new Lab(5, bootstrap: false);
        lab.Prepare(1, 2, 1, 2, 2);
        lab[1].Step(Append(2, 3, previous: 1, previousTerm: 1, entries: [Entries.Job(3, 2, 1)]), lab.NowMs);
        lab.Node(1).Drain();
        lab[1].Step(Append(3, 4, previous: 1, previousTerm: 1, entries: [Entries.Job(2, 2, 2)]), lab.NowMs);
        lab.Node(1).Drain();
        Assert.Equal([1, 3], lab.TermsOf(1));
        lab.Sync(1);
        lab[1].Step(Append(3, 4, previous: 1, previousTerm: 1, entries: [Entries.Job(2, 2, 2)]), lab.NowMs);
        lab.Node(1).Drain();
        Assert.Equal([1, 2], lab.TermsOf(1));
    }

    [Fact]
    public void AFollowerThatDivergedOverManyEntriesIsFoundInAFewRounds()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 9, [1, .. Enumerable.Repeat(2L, 5), 9]);
        lab.Prepare(2, 9, [1, .. Enumerable.Repeat(2L, 5), 9]);
        lab.Prepare(3, 9, [1, .. Enumerable.Repeat(2L, 3), .. Enumerable.Repeat(5L, 40), .. Enumerable.Repeat(7L, 40)]);
        lab.Isolate(3);
        lab.Elect(1);
        lab.Join();
        lab.Advance(150);
        Assert.Equal(lab.TermsOf(1), lab.TermsOf(3));
    }

    [Fact]
    public void TheWindowBoundsWhatIsOnItsWay()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Advance(100);
        lab.StuckDisks.Add(2);
        lab.Propose(1, count: 60, extraBytes: 100);
        lab.Settle();
        PeerProgress peer = Assert.Single(lab[1].DescribePeers(), peer => peer.Id.Value == 2);
        Assert.InRange(peer.InflightBytes, 1, 1_200 + 400);
        Assert.True(lab[1].LastIndex - lab[2].LastIndex > 40);
        lab.StuckDisks.Clear();
        lab.Settle();
        Assert.Equal(lab[1].LastIndex, lab[2].LastIndex);
    }

    [Fact]
    public void ALeaderWithoutAQuorumRefusesProposalsWhenItIsFull()
    {
        MembershipRecord members = Entries.Voters(1);
        var disk = new SimDisk();
        var options = new RaftOptions
        {
            Self = new NodeId(1), SelfIncarnation = members.Voters[0].Incarnation, Shard = Entries.Shard, MaxUncommittedBytes = 1_000,
        };
        var node = new RaftNode(options, new RaftStart(), disk, new SplitMix64(1), 0);
        node.Bootstrap(members, 0);
        node.Tick(1_000);
        node.HardStatePersisted(node.Effects.HardStateToSave!.Value, 1_000);
        Assert.Equal(ProposeResult.NotWanted, node.TryPropose(Entries.Job(1, 1, 1), 1_000));
        Assert.True(node.Propose(LogEntry.ForMembership(Entries.Shard, node.Term, new LogIndex(1), 0, node.WantsMembership!), 1_000));
        int accepted = 0;
        while (node.TryPropose(Entries.Job(1, node.LastIndex.Value + 1, 1), 1_000) == ProposeResult.Accepted) accepted++;
        Assert.InRange(accepted, 1, 1_000 / EntryHeader.Size);
        Assert.Equal(ProposeResult.Full, node.TryPropose(Entries.Job(1, node.LastIndex.Value + 1, 1), 1_000));
        node.Persisted(node.LastIndex, node.Term, 1_000);
        Assert.Equal(ProposeResult.Accepted, node.TryPropose(Entries.Job(1, node.LastIndex.Value + 1, 1), 1_000));
    }

    [Fact]
    public void WhatNobodyElsewhereWaitsForIsToldByTheNextEntriesOrAfterAMoment()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Advance(20);
        LogIndex before = lab[1].CommitIndex;

        Assert.True(lab.Node(1).Propose(1, 0, awaitedElsewhere: false));
        lab.Settle();
        Assert.Equal(before.Next, lab[1].CommitIndex);
        Assert.Equal([before, before], [lab[2].CommitIndex, lab[3].CommitIndex]);

        Assert.True(lab.Node(1).Propose(2, 0, awaitedElsewhere: false));
        lab.Node(1).Drain();
        Assert.All(lab.InFlight, packet => Assert.Equal((MessageKind.Append, before.Next), (packet.Message.Kind, packet.Message.Commit)));
        lab.Settle();
        Assert.Equal([before.Next, before.Next], [lab[2].CommitIndex, lab[3].CommitIndex]);

        long due = lab[1].NextDeadlineMs;
        Assert.Equal(lab.NowMs + new RaftOptions { Self = default, SelfIncarnation = default, Shard = default }.CommitNoticeMs, due);
        lab[1].Tick(lab.NowMs = due);
        lab.Settle();
        Assert.Equal([before + 2, before + 2], [lab[2].CommitIndex, lab[3].CommitIndex]);
        Assert.True(lab[1].NextDeadlineMs > due, "it is told once");
    }

    [Fact]
    public void WhatSomebodyElsewhereWaitsForIsToldAtOnceWithAllBeforeIt()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Advance(20);
        LogIndex before = lab[1].CommitIndex;
        Assert.True(lab.Node(1).Propose(1, 0, awaitedElsewhere: false));
        Assert.True(lab.Node(1).Propose(2, 0, awaitedElsewhere: true));
        lab.Settle();
        Assert.Equal([before + 2, before + 2], [lab[2].CommitIndex, lab[3].CommitIndex]);
    }

    private static Message AnswerTo(Lab lab, Message message)
    {
        lab[1].Step(message, lab.NowMs);
        lab.Sync(1);
        Message reply = lab.InFlight[^1].Message;
        lab.InFlight.Clear();
        Assert.Equal(MessageKind.AppendReply, reply.Kind);
        return reply;
    }

    private static Message Append(
        int from, long term, long previous, long previousTerm, IReadOnlyList<LogEntry>? entries = null, long commit = 0) => new()
        {
            Kind = MessageKind.Append,
            From = new NodeId(from),
            To = new NodeId(1),
            Term = new Term(term),
            Index = new LogIndex(previous),
            LogTerm = new Term(previousTerm),
            Entries = entries ?? [],
            Commit = new LogIndex(commit),
        };
}
