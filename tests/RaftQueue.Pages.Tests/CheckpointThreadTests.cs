using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

/// <summary>The writer and a reader on threads of their own, beside the apply loop: timing changes nothing they see.</summary>
public sealed class CheckpointThreadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void ACheckpointIsTheStateAtItsFreezeWhateverIsAppliedMeanwhile(int residentPages)
    {
        const int Rounds = 60;
        var world = new CheckpointWorld(41, new CheckpointOptions { SliceBytes = 4 * 4096, ExtentBytes = 1 << 20 }, residentPages);
        var still = new CheckpointWorld(41);
        for (int i = 0; i < 600; i++)
        {
            world.Model.Allocate(world.Store);
            still.Model.Allocate(still.Store);
        }

        var writing = new List<(ulong Expected, ulong Written)>();
        for (int round = 0; round < Rounds; round++)
        {
            world.Churn(300, 700);
            still.Churn(300, 700);
            ulong expected = still.Store.ComputeRootHash();
            CheckpointWriter writer = world.Begin();
            var thread = new Thread(() =>
            {
                while (writer.RunOnce())
                {
                }

                if (writer.Info.Index.Value % 5 == 0) writer.Abort();
                else writer.Commit();
            });
            thread.Start();
            int applied = 0;
            while (applied < 2000 && (applied < 200 || world.Store.IsFrozen))
            {
                world.Churn(20, 700);
                applied += 20;
            }

            thread.Join();
            still.Churn(applied, 700);
            if (writer.Outcome == CheckpointOutcome.Committed) writing.Add((expected, writer.RootHash));
        }

        Assert.Equal(Rounds - (Rounds / 5), writing.Count);
        Assert.All(writing, pair => Assert.Equal(pair.Expected, pair.Written));
        Assert.Equal(still.Store.ComputeRootHash(), world.Store.ComputeRootHash());
        world.Model.AssertHeldBy(world.Store);
        world.Checkpoint();
        world.Reopen();
    }

    [Fact]
    public void AReaderOnAnotherThreadSeesOneCheckpoint()
    {
        var world = new CheckpointWorld(42);
        world.Churn(400, 200);
        world.Checkpoint();
        CheckpointReader reader = world.File.OpenReader()!;
        PageName[] names = [.. world.Model.Pages.Select(page => new PageName(0, page.Key, PageHash.OfPage(page.Value)))];
        byte[] first = [.. world.Model.Pages.Values.SelectMany(page => page)];
        int differing = 0;
        var thread = new Thread(() =>
        {
            byte[] again = new byte[first.Length];
            bool[] found = new bool[names.Length];
            for (int i = 0; i < 30; i++)
            {
                bool all = reader.Read(names, found, again) == first.Length;
                if (!all || !again.AsSpan().SequenceEqual(first)) differing++;
            }

            reader.Dispose();
        });
        thread.Start();
        for (int i = 0; i < 60; i++)
        {
            world.Churn(50, 200);
            world.Checkpoint();
        }

        thread.Join();
        Assert.Equal(0, differing);
    }
}
