using RaftQueue.Primitives;
using RaftQueue.Server.Hosting;

namespace RaftQueue.Server.Tests.Hosting;

public sealed class LoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void NoWakeIsLost()
    {
        const int Items = 200_000;
        using var done = new ManualResetEventSlim();
        int posted = 0;
        int taken = 0;
        var body = new Body(() =>
        {
            taken = Math.Max(taken, Volatile.Read(ref posted));
            if (taken == Items) done.Set();
            return ILoopBody.Never;
        });
        ILoopHandle loop = new ThreadLoopHost(new SystemClock(), (_, _) => { }).Start("test", body);
        for (int i = 0; i < Items; i++)
        {
            Interlocked.Increment(ref posted);
            loop.Wake();
        }

        Assert.True(done.Wait(Patience));
        loop.Stop();
    }

    [Fact]
    public void ALoopRunsAgainWhenItSaid()
    {
        var clock = new SystemClock();
        using var done = new ManualResetEventSlim();
        long due = long.MinValue;
        int early = 0;
        int runs = 0;
        var body = new Body(() =>
        {
            long now = clock.MonotonicMicroseconds;
            if (now < due) early++;
            if (++runs == 20) done.Set();
            return due = now + 2_000;
        });
        ILoopHandle loop = new ThreadLoopHost(clock, (_, _) => { }).Start("test", body);
        Assert.True(done.Wait(Patience));
        loop.Stop();
        Assert.Equal(0, early);
        int after = runs;
        loop.Wake();
        loop.Stop();
        Assert.Equal(after, runs);
    }

    [Fact]
    public async Task WhatLeavesALoopIsHandedOnOnce()
    {
        var bug = new InvalidOperationException("bug");
        var told = new TaskCompletionSource<(string, Exception)>();
        ILoopHandle loop = new ThreadLoopHost(new SystemClock(), (name, exception) => told.SetResult((name, exception)))
            .Start("broken", new Body(() => throw bug));
        Assert.Equal(("broken", bug), await told.Task.WaitAsync(Patience));
        loop.Wake();
        loop.Stop();
    }

    private sealed class Body(Func<long> run) : ILoopBody
    {
        public long RunOnce() => run();
    }
}
