using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>The structures through checkpoints: what is frozen stays, and who goes on from it comes to the same bytes.</summary>
public sealed class CheckpointedStateTests
{
    private const string Directory = "/data/shard-0";
    private const string File = Directory + "/checkpoint";

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    [InlineData(43)]
    public void A_replica_that_loads_a_checkpoint_and_replays_has_the_same_pages(ulong seed) => Replay.Run(seed, random =>
    {
        var disk = new FakeDisk(seed);
        disk.CreateDirectory(Directory);
        using CheckpointFile file = CheckpointFile.OpenOrCreate(disk, File, new CheckpointOptions { SliceBytes = 16 * 4096 });
        using PageStore pages = TestPages.Create();
        MixedState state = MixedState.Create(pages);
        for (int round = 1; round <= 3; round++)
        {
            for (int step = 0; step < 4_000; step++) state.Step(random, growing: round != 2);
            (uint Page, byte[] Bytes)[] frozen = [.. TestPages.Dump(pages)];
            MixedState remembered = state.In(pages);
            ulong later = random.NextUInt64();

            using CheckpointWriter writer = file.BeginWrite(pages.Freeze(TestPages.Checkpoint(round)));
            Run(state, later, between: step =>
            {
                if (step % 50 == 0 && writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
            });
            while (writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
            writer.Commit();
            using PageStore loaded = file.Load(new PageStoreOptions());
            Assert.Equal(frozen.Select(p => p.Page), TestPages.Dump(loaded).Select(p => p.Page));
            foreach ((uint page, byte[] bytes) in frozen) Assert.Equal(bytes, TestPages.Copy(loaded, page));
            Run(remembered.In(loaded), later, between: _ => { });
            TestPages.Same(pages, loaded);
        }

        state.TakeOutAll();
        Assert.Equal(1, pages.AllocatedPages);
    });

    [Fact]
    public void Steady_work_allocates_no_managed_memory() => Replay.Run(44, random =>
    {
        using PageStore pages = TestPages.Create();
        MixedState state = MixedState.Create(pages);
        for (int step = 0; step < 10_000; step++) state.Step(random, growing: true);
        state.TakeOutAll();
        for (int step = 0; step < 8_000; step++) state.Step(random, growing: true);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 2_000; step++) state.Step(random, growing: step % 2 == 0);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000);
    });

    private static void Run(MixedState state, ulong seed, Action<int> between)
    {
        var random = new SplitMix64(seed);
        for (int step = 0; step < 3_000; step++)
        {
            state.Step(random, growing: step % 3 > 0);
            between(step);
        }
    }
}
