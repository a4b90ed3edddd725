using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class TransferTests
{
    private static readonly ShardId s_shard = new(3);

    [Fact]
    public async Task PagesAndNodesArriveInTheOrderOfTheQuestions()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        var source = new PageSource(pages: 5_000);
        two.Network.TransferSource = source;
        one.Start(two);
        two.Start(one);
        await using (ITransferStream stream = await OpenAsync(one, two, new LogIndex(100)))
        {
            Assert.Equal(source.Info, stream.Info.ToArray());
            Assert.Equal((s_shard, new LogIndex(100)), source.Asked);
            uint next = 1;
            uint taken = 0;
            while (taken < 5_010)
            {
                while (next <= 5_010 && stream.Unanswered < TransferLimits.MaxUnanswered)
                {
                    PageName[] names = new PageName[1 + (next % TransferLimits.MaxNames)];
                    for (int i = 0; i < names.Length; i++) names[i] = next % 7 == 3 ? new PageName(1, next, next++) : PageSource.Page(next++);
                    Assert.Null(await stream.AskAsync(names, CancellationToken.None));
                }

                taken += Check(await stream.ReadAsync(CancellationToken.None), pages: 5_000);
            }
        }

        await UntilClosedAsync(source);
    }

    [Fact]
    public async Task ACheckpointThatIsGoneIsOpenedAgainOnTheSameConnection()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        var source = new PageSource(pages: 100) { GoneAfter = 2 };
        two.Network.TransferSource = source;
        one.Start(two);
        two.Start(one);
        await using ITransferStream stream = await OpenAsync(one, two, default);
        for (int round = 1; round <= 3; round++)
        {
            for (uint i = 1; i <= 4; i++) Assert.Null(await stream.AskAsync(new[] { PageSource.Page(i) }, CancellationToken.None));
            Assert.Equal(1u, Check(await stream.ReadAsync(CancellationToken.None), 100));
            Assert.Equal(1u, Check(await stream.ReadAsync(CancellationToken.None), 100));
            Assert.True((await stream.ReadAsync(CancellationToken.None)).IsGone);
            Assert.True((await stream.ReadAsync(CancellationToken.None)).IsGone);
            source.Info = [(byte)round];
            Assert.Equal(TransferOutcome.Opened, await stream.OpenAgainAsync(new LogIndex(round), CancellationToken.None));
            Assert.Equal(source.Info, stream.Info.ToArray());
            Assert.Equal((round + 1, 1), (source.Opened, source.Open));
        }

        source.HasNone = true;
        Assert.Equal(TransferOutcome.NotAvailable, await stream.OpenAgainAsync(default, CancellationToken.None));
        Assert.Equal(0, source.Open);
    }

    [Fact]
    public async Task WhatCannotBeFetchedIsAnOutcome()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        two.Start(one);
        TransferOpening none = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.NotAvailable, none.Outcome);
        TransferOpening stranger = await one.Network.Transfers.OpenAsync(new NodeId(9), s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.Unreachable, stranger.Outcome);
        one.Network.ExpectIncarnation(two.Id, new Incarnation(1));
        TransferOpening wiped = await one.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal(TransferOutcome.Refused, wiped.Outcome);
        await using var other = new TestNode(3, mine => mine with { ClusterId = "d" });
        other.Start(two);
        TransferOpening refused = await other.Network.Transfers.OpenAsync(two.Id, s_shard, default, CancellationToken.None);
        Assert.Equal((TransferOutcome.Refused, "ClusterId is d here and c on node 2"), (refused.Outcome, refused.Reason));
    }

    [Fact]
    public async Task WhenTheSenderStopsTheStreamIsBrokenForGood()
    {
        await using var one = new TestNode(1);
        var two = new TestNode(2);
        two.Network.TransferSource = new PageSource(pages: 100);
        one.Start(two);
        two.Start(one);
        await using ITransferStream stream = await OpenAsync(one, two, default);
        Assert.Null(await stream.AskAsync(new[] { PageSource.Page(1) }, CancellationToken.None));
        Assert.Equal(1u, Check(await stream.ReadAsync(CancellationToken.None), 100));
        Assert.Null(await stream.AskAsync(new[] { PageSource.Page(2) }, CancellationToken.None));
        await two.DisposeAsync();
        TransferAnswer answer = await stream.ReadAsync(CancellationToken.None);
        if (answer.Broken is null)
        {
            // It was under way already.
            Assert.Null(await stream.AskAsync(new[] { PageSource.Page(3) }, CancellationToken.None));
            answer = await stream.ReadAsync(CancellationToken.None);
        }

        Assert.NotNull(answer.Broken);
        Assert.NotNull(await stream.AskAsync(new[] { PageSource.Page(3) }, CancellationToken.None));
    }

    [Theory]
    [InlineData("no checkpoint is open")]
    [InlineData("no names")]
    [InlineData("too many names")]
    [InlineData("an impossible name")]
    [InlineData("half a name")]
    [InlineData("not a request")]
    [InlineData("another kind")]
    [InlineData("no frame")]
    public async Task ABadQuestionClosesTheConnectionAndNothingElse(string what)
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        var source = new PageSource(pages: 100);
        two.Network.TransferSource = source;
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        using (RawPeer raw = await RawPeer.HandshakenAsync(two, self: 1, purpose: ConnectionPurpose.Transfer))
        {
            if (what != "no checkpoint is open")
            {
                await raw.WriteAsync(RawPeer.Frame(FrameKind.TransferRequest, [0x92, 3, 0], sender: 100, target: 200));
                Assert.Equal(FrameKind.TransferHead, (await raw.ReadAsync())!.Value.Header.Kind);
            }

            await raw.WriteAsync(what switch
            {
                "no checkpoint is open" => Question(1, 0, 1, 1),
                "no names" => RawPeer.Frame(FrameKind.PageQuestion, [0, 0], sender: 100, target: 200),
                "too many names" => Question(TransferLimits.MaxNames + 1, 0, 1, 1),
                "an impossible name" => Question(1, 4, 0, 1),
                "half a name" => RawPeer.Frame(FrameKind.PageQuestion, [1, 0, 0, 1, 0], sender: 100, target: 200),
                "not a request" => RawPeer.Frame(FrameKind.TransferRequest, [0x92, 3], sender: 100, target: 200),
                "another kind" => RawPeer.Frame(FrameKind.Forward, [1], sender: 100, target: 200),
                _ => new byte[200],
            });
            await raw.UntilClosedAsync();
        }

        await UntilClosedAsync(source);
        Assert.True(one.Handler.IsConnected(two.Id));
        await using ITransferStream stream = await OpenAsync(one, two, default);
    }

    [Theory]
    [InlineData("another kind")]
    [InlineData("too short")]
    [InlineData("too long")]
    [InlineData("found is neither yes nor no")]
    [InlineData("no frame")]
    public async Task ABadAnswerBreaksTheStream(string what)
    {
        await using var one = new TestNode(1);
        using var listener = new RawListener();
        one.Network.UpdatePeers([]);
        one.Start();
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        byte[] page = PageSource.ContentOf(PageSource.Page(1));
        byte[] bad = what switch
        {
            "another kind" => RawPeer.Frame(FrameKind.TransferHead, [0, 1, .. page], 200, 100),
            "too short" => RawPeer.Frame(FrameKind.PageAnswer, [0, 1, .. page[1..]], 200, 100),
            "too long" => RawPeer.Frame(FrameKind.PageAnswer, [0, 1, .. page, 0], 200, 100),
            "found is neither yes nor no" => RawPeer.Frame(FrameKind.PageAnswer, [0, 2, .. page], 200, 100),
            _ => new byte[200],
        };
        Task<TransferOpening> opening = one.Network.Transfers.OpenAsync(new NodeId(2), s_shard, default, CancellationToken.None);
        using RawPeer sender = await AcceptTransferAsync(listener);
        await using ITransferStream stream = (await opening).Stream!;
        Assert.Null(await stream.AskAsync(new[] { PageSource.Page(1) }, CancellationToken.None));
        await sender.WriteAsync(bad);
        Assert.NotNull((await stream.ReadAsync(CancellationToken.None)).Broken);
    }

    [Fact]
    public async Task ASenderThatStallsIsLeft()
    {
        await using var one = new TestNode(1, options: options => options with { TransferIdleMs = 300 });
        using var listener = new RawListener();
        one.Start();
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        Task<TransferOpening> opening = one.Network.Transfers.OpenAsync(new NodeId(2), s_shard, default, CancellationToken.None);
        using RawPeer sender = await AcceptTransferAsync(listener);
        await using ITransferStream stream = (await opening).Stream!;
        Assert.Null(await stream.AskAsync(new[] { PageSource.Page(1) }, CancellationToken.None));
        Assert.NotNull((await stream.ReadAsync(CancellationToken.None)).Broken);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => one.Network.Transfers.OpenAsync(new NodeId(2), s_shard, default, cancelled.Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AReceiverThatStallsIsClosedAndItsCheckpointLetGo(bool asks)
    {
        await using var two = new TestNode(2, options: options => options with { TransferIdleMs = 300 });
        await using var one = new TestNode(1);
        var source = new PageSource(pages: 1_000_000);
        two.Network.TransferSource = source;
        two.Start(one);
        using RawPeer raw = await RawPeer.HandshakenAsync(two, self: 1, purpose: ConnectionPurpose.Transfer);
        await raw.WriteAsync(RawPeer.Frame(FrameKind.TransferRequest, [0x92, 3, 0], sender: 100, target: 200));
        Assert.Equal(FrameKind.TransferHead, (await raw.ReadAsync())!.Value.Header.Kind);

        // It asks for more than the sockets hold and reads nothing.
        for (int i = 0; asks && i < 2_000; i++) await raw.WriteAsync(Question(TransferLimits.MaxNames, 0, 1, 1));
        await UntilClosedAsync(source);
    }

    [Fact]
    public async Task WhatIsGivenEachSecondIsBounded()
    {
        var budget = new TransferBudget(bytesPerSecond: 1);
        using var stops = new CancellationTokenSource();
        Assert.True(budget.TakeAsync(0, stops.Token).AsTask().IsCompletedSuccessfully);
        Task held = budget.TakeAsync(100_000, stops.Token).AsTask();
        Assert.False(held.IsCompleted);
        Assert.False(budget.TakeAsync(1, stops.Token).AsTask().IsCompleted);
        await stops.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
    }

    private static async Task<ITransferStream> OpenAsync(TestNode one, TestNode two, LogIndex atLeast)
    {
        TransferOpening opening = await one.Network.Transfers.OpenAsync(two.Id, s_shard, atLeast, CancellationToken.None);
        Assert.True(opening.IsOpen, opening.Reason);
        return opening.Stream;
    }

    private static async Task<RawPeer> AcceptTransferAsync(RawListener listener)
    {
        while (true)
        {
            RawPeer caller = await listener.AcceptAsync();
            (FrameHeader _, byte[] payload) = (await caller.ReadAsync())!.Value;
            Assert.True(HelloMessage.TryDecode(payload, out HelloMessage? hello));
            if (hello.Purpose != ConnectionPurpose.Transfer)
            {
                caller.Dispose();
                continue;
            }

            await caller.AnswerAsync(self: 2, target: 1);
            Assert.Equal(FrameKind.TransferRequest, (await caller.ReadAsync())!.Value.Header.Kind);
            await caller.WriteAsync(RawPeer.Frame(FrameKind.TransferHead, [0x92, 0, 0xc4, 1, 7], 200, 100));
            return caller;
        }
    }

    private static byte[] Question(int count, int level, uint number, ulong hash)
    {
        byte[] payload = new byte[PageQuestion.SizeOf(count)];
        PageQuestion.Encode([.. Enumerable.Repeat(new PageName(level, number, hash), count)], payload);
        return RawPeer.Frame(FrameKind.PageQuestion, payload, sender: 100, target: 200);
    }

    private static uint Check(TransferAnswer answer, int pages)
    {
        Assert.Null(answer.Broken);
        Assert.False(answer.IsGone);
        ReadOnlyMemory<byte> contents = answer.Contents;
        for (int i = 0; i < answer.Names.Count; i++)
        {
            PageName name = answer.Names[i];
            Assert.Equal(name.Level > 0 || name.Number <= pages, answer.Found[i]);
            if (!answer.Found[i]) continue;
            Assert.True(contents.Span[..name.ContentBytes].SequenceEqual(PageSource.ContentOf(name)), $"{name}");
            contents = contents[name.ContentBytes..];
        }

        Assert.True(contents.IsEmpty);
        return (uint)answer.Names.Count;
    }

    private static async Task UntilClosedAsync(PageSource source)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (source.Open > 0) await Task.Delay(5, limit.Token);
    }
}
