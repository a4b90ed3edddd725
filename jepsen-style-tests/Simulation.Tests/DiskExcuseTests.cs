using RaftQueue.Checkers;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Storage;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation.Tests;

/// <summary>What an error or damage of a disk excuses, and nothing beside it.</summary>
public sealed class DiskExcuseTests : IDisposable
{
    private static readonly DiskException Refused = new("fdatasync", "/data/x", 5);

    private readonly SimulatedCluster _cluster = new(3, 1, seed: 65);

    public DiskExcuseTests()
    {
        var history = new History(() => _cluster.Clock.MonotonicMicroseconds, _cluster.Tell);
        _ = new FaultInjector(_cluster, new FaultSchedule([]), history, new DiskWatch(_cluster), shards: 1);
        _cluster.StartAll();
        _cluster.AwaitLeader();
        _cluster.AwaitSameState();
    }

    private SimulatedNode One => _cluster[1];

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void AnErrorExcusesTheLifeInWhichItHappensAlone()
    {
        Assert.False(MayEnd(Refused));
        One.Disk.FailNext(DiskOperation.DataSync);
        Assert.False(MayEnd(Refused), "it is planned and has not happened");
        _cluster.Enqueue(_cluster[2], "work", "1");
        _cluster.RunUntil(() => !One.IsRunning, "the error ends the node");
        Assert.True(One.HasFailed);

        _cluster.Start(One);
        Assert.False(One.HasFailed);
        Assert.False(MayEnd(Refused));
        _cluster.AwaitSameState();
    }

    [Fact]
    public void OnlyAReadThatFailedExcusesAPageThatLacks()
    {
        Assert.Throws<PropertyViolatedException>(Lacks);
        using IDiskFile file = One.Disk.Open("/data/hardstate-a", create: false);
        One.Disk.FailNext(DiskOperation.Allocate);
        Assert.Throws<DiskException>(() => file.Allocate(4096));
        Assert.Throws<PropertyViolatedException>(Lacks);
        One.Disk.FailNext(DiskOperation.Read);
        Assert.Throws<DiskException>(() => file.ReadAt(0, new byte[8]));
        Lacks();
        _cluster.Crash(One, CrashMode.ProcessDeath);
        _cluster.Start(One);
        Assert.Throws<PropertyViolatedException>(Lacks);
        One.Damaged = DamagedParts.Checkpoints;
        Lacks();
    }

    [Fact]
    public void DamageExcusesWhatItMayLeadTo()
    {
        One.Damaged = DamagedParts.Checkpoints;
        Assert.False(MayEnd(Refused));
        Assert.False(MayEnd(new StorageDamagedException("a log")));
        One.Damaged = DamagedParts.Log | DamagedParts.HardState | DamagedParts.Identity;
        Assert.False(MayEnd(new CheckpointDamagedException("a page")));
        Assert.True(MayEnd(new InvalidOperationException("outside", new StorageDamagedException("a log"))));
        Assert.False(One.IsRunning);
    }

    /// <summary>Whether a loop of a node may end with this; then the node is gone.</summary>
    private bool MayEnd(Exception exception) => _cluster.NodeFailed!(One, exception);

    private void Lacks() => _cluster.Network.PageLacking!(One.Id);
}
