using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

/// <summary>What clients were told of leases, held against what the log grants; both made by hand.</summary>
public sealed class DefiniteCheckerTests
{
    private readonly Made _made = new();
    private readonly List<LogGrant> _log = [];

    [Fact]
    public void WhatWasToldMayEndInAnyWay()
    {
        Operation told = _made.Lease(1, (20, 30), 2, 1);
        Granted(told, fence: 1, index: 2, "ack");
        Check();
    }

    [Theory]
    [InlineData("revoke")]
    [InlineData("expiry")]
    [InlineData(null)]
    public void WhatNobodyWasToldOfMayRunOutOnlyWhileTheNodeCouldNotGiveItBack(string? endedBy)
    {
        Operation open = _made.Lease(1, (20, 30), null, 0);
        Granted(open, fence: 1, index: 2, endedBy);
        Check(mayLetRunOut: true);
        if (endedBy == "revoke") Check();
        else Fails("not given back");
    }

    [Theory]
    [InlineData("ack")]
    [InlineData("nack")]
    [InlineData("release")]
    [InlineData("reschedule")]
    public void NobodyUsesWhatNobodyWasToldOf(string endedBy)
    {
        Operation open = _made.Lease(1, (20, 30), null, 0);
        Granted(open, fence: 1, index: 2, endedBy);
        Fails("was used", mayLetRunOut: true);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public void NothingIsToldOnlyWhereTheLogGrantedNothingBefore(int index, bool holds)
    {
        Granted(Empty(toldAt: 5), fence: 1, index, "revoke");
        if (holds) Check();
        else Fails("that there is nothing", mayLetRunOut: true);
    }

    [Theory]
    [InlineData(6, 2, false)]
    [InlineData(6, 5, false)]
    [InlineData(8, 5, true)]
    [InlineData(6, 9, true)]
    public void AnEarlierGrantOfTheSameRequestIsToldFirst(int fence, int index, bool holds)
    {
        Operation told = _made.Lease(1, (20, 30), 5, 7);
        Granted(told, fence: 7, index: 5, "ack");
        Granted(told, fence, index, "expiry");
        if (holds) Check(mayLetRunOut: true);
        else Fails("of others", mayLetRunOut: true);
    }

    [Fact]
    public void ARefusedRequestIsGrantedNothingAtAnyTime()
    {
        Operation refused = _made.Lease(1, (20, 30), null, 0);
        refused.End = OperationEnd.NotApplied;
        Granted(refused, fence: 1, index: 900, "revoke");
        Fails("refused", mayLetRunOut: true);
    }

    [Fact]
    public void OfARequestOverSeveralShardsOneAnswerSaysNothingOfTheOthers()
    {
        Operation several = Empty(toldAt: 5, spansShards: true);
        Granted(several, fence: 1, index: 2, "revoke");
        Check();
        Granted(several, fence: 2, index: 3, "expiry");
        Fails("not given back");
    }

    [Fact]
    public void UnderAKeyALeaseIsKeptForARepeat()
    {
        Granted(Empty(toldAt: 5, key: "k"), fence: 1, index: 6, "expiry");
        Check();
    }

    private Operation Empty(int toldAt, bool spansShards = false, string? key = null)
    {
        Operation call = _made.Add(
            new Operation
            {
                Id = _made.Calls.Count + 1,
                Kind = OperationKind.Lease,
                Shard = default,
                InvokedNs = 1,
                ReturnedNs = 2,
                Queue = "q",
                Worker = "w",
                IdempotencyKey = key,
                SpansShards = spansShards,
            },
            toldAt);
        call.Code = ResultCode.Empty;
        return call;
    }

    private void Granted(Operation call, int fence, int index, string? endedBy) => _log.Add(new LogGrant
    {
        Job = Made.Job(1),
        Fence = (ulong)fence,
        Index = new LogIndex(index),
        StampMs = index,
        Worker = call.Worker,
        Origin = default,
        Number = 0,
        RunAtMs = 0,
        Call = call,
        EndedBy = endedBy,
    });

    private void Check(bool mayLetRunOut = false) => DefiniteChecker.Check(new History(_made.Calls), _log, _ => mayLetRunOut);

    private void Fails(string says, bool mayLetRunOut = false)
    {
        var violated = Assert.Throws<PropertyViolatedException>(() => Check(mayLetRunOut));
        Assert.Equal("P2", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
