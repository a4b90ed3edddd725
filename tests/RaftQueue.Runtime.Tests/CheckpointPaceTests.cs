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

    /// <summary>Work that a restart would have to do again is a reason for a checkpoint, however little log it left.</summary>
    [Theory]
    [InlineData(21_000_000, 2_000, true)]
    [InlineData(2_000_000, 12_000, true)]
    [InlineData(2_000_000, 2_000, false)]
    [InlineData(19_000_000, 2_000, false)]
    [InlineData(500_000, 12_000, false)]
    public void MuchAppliedIsAReasonAndLessIsOneOnceTheLoadHasCeased(long workMicroseconds, int withinMs, bool isNamed)
    {
        var cluster = new SimulatedCluster(3, 1, seed: 98);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "1");
        cluster.RunFor(6_000);
        ShardLink link = leader.Node!.Parts.Applies[0].Link;
        LogIndex before = link.NamedCheckpointIndex;
        link.AppliedMicroseconds = workMicroseconds;
        cluster.RunFor(withinMs);
        Assert.Equal(isNamed, link.NamedCheckpointIndex > before);
        Assert.Equal(isNamed, link.AppliedMicroseconds < workMicroseconds);
    }
}
