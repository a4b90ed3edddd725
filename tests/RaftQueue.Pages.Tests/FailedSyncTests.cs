using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>Several loops share a checkpoint file: an fsync that failed for one of them failed for all.</summary>
public sealed class FailedSyncTests
{
    [Fact]
    public void AfterAFailedSyncNothingIsCommitted()
    {
        var world = new CheckpointWorld(9, residentPages: 80);
        for (int i = 1; i < 300; i++) world.Model.Allocate(world.Store);
        for (uint page = 1; page <= 300; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        for (uint page = 1; page <= 300; page++) world.Model.Write(world.Store, page, world.Random);
        Assert.True(world.File.Slots.UnsyncedBytes > 0);
        world.Disk.FailNext(DiskOperation.DataSync);
        Assert.Throws<DiskException>(() => world.File.Sync()); // as the loop that evicts would, which then ends the node

        Assert.Throws<DiskException>(() => world.Checkpoint()); // while the checkpoint loop still runs
        world.Disk.Crash(CrashMode.PowerLoss);
        CheckpointCheckReport report = world.Check();
        Assert.True(report.IsClean, $"{report.DamageCount} damaged");
        Assert.Equal(new LogIndex(1), CheckpointFile.OpenOrCreate(world.Disk, CheckpointWorld.Path, world.Options).Newest?.Index);
    }
}
