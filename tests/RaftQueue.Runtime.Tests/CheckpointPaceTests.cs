using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>The log has the disk for most of the time while a checkpoint is written.</summary>
public sealed class CheckpointPaceTests
{
    private const long WriteMicroseconds = 2_000;

    [Fact]
    public void TheWriterRestsThreeTimesAsLongAsItWorked()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 97, options => options with { CheckpointLogMiB = 1, WalSegmentBytes = 16 << 20, ResidentPagesPerShard = 0 });
        cluster.StartAll();
        SimulatedNode follower = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        var writes = new List<(long Began, long Ended)>();
        follower.Disk.OnOperation = (operation, path) =>
        {
            if (operation != DiskOperation.Write || !path.EndsWith("/checkpoint", StringComparison.Ordinal)) return;
            long began = cluster.Clock.MonotonicMicroseconds;
            cluster.Clock.AdvanceTo(began + WriteMicroseconds);
            writes.Add((began, began + WriteMicroseconds));
        };

        string big = $"\"{new string('x', 300_000)}\"";
        for (int i = 0; i < 10; i++) cluster.Enqueue(cluster.AwaitLeader(), "work", big);
        cluster.RunUntil(() => follower.Node!.Status().Shards[0].Checkpoint.Index > LogIndex.Zero, "a checkpoint is written", 10_000);
        long[] rests = [.. writes.Zip(writes.Skip(1), (one, next) => next.Began - one.Ended).Where(rest => rest > 0)];
        // Slices of 256 KiB: a megabyte has four, and the last goes on to the superblock without a rest.
        Assert.True(rests.Length >= 2, $"{rests.Length} rests between {writes.Count} writes");
        Assert.All(rests, rest => Assert.True(rest >= 3 * WriteMicroseconds, $"{rest} us of rest"));
    }
}
