using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>What takes the place of a disowned checkpoint, and a crash at each operation of it: one of the two is there afterwards.</summary>
public sealed class CheckpointDisownTests
{
    private const long NewIndex = 100;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void ACrashWhileAnOwnCheckpointIsWritten(int checkpoints) => CrashEverywhere(checkpoints, WriteOwn);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void ACrashWhileAPeersCheckpointIsTakenOver(int checkpoints) => CrashEverywhere(checkpoints, Adopt);

    /// <summary>The older checkpoint takes the newest one's place; it, the newest that was left, or the next is there after a crash at any operation.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void ACrashWhileACheckpointIsWrittenAfterGoingBack(int checkpoints)
    {
        CheckpointWorld counted = GoneBack(checkpoints, out long start);
        WriteOn(counted);
        Assert.InRange(counted.Disk.Operations - start, 5, 500);
        for (long at = start + 1; at <= counted.Disk.Operations; at++)
        {
            foreach (CrashMode mode in new[] { CrashMode.ProcessDeath, CrashMode.PowerLoss })
            {
                CheckpointWorld world = GoneBack(checkpoints, out _);
                world.Disk.CrashAtOperation = at;
                Assert.Throws<SimulatedCrashException>(() => WriteOn(world));
                world.Disk.Crash(mode);
                world.Continue();
                world.File.Verify();
                long found = world.File.Newest!.Index.Value;
                Assert.True(found == checkpoints - 1 || found == checkpoints || found == NewIndex, $"operation {at - start}, {mode}: {found}");
                using PageStore store = world.File.Load(world.StoreOptions);
                if (found != NewIndex) world.ByIndex[found].AssertHeldBy(store);
            }
        }
    }

    [Fact]
    public void NobodyGoesBackWhereThereIsNothingWhole()
    {
        var world = new CheckpointWorld(12);
        world.Churn(60);
        world.Checkpoint();
        world.Continue();
        Assert.False(world.File.TryGoBack());
        Assert.Equal(1, world.File.Newest!.Index.Value);
    }

    private static CheckpointWorld GoneBack(int checkpoints, out long operations)
    {
        var world = new CheckpointWorld(11);
        for (int i = 0; i < checkpoints; i++)
        {
            world.Churn(60);
            world.Checkpoint();
        }

        world.Continue();
        Assert.True(world.File.TryGoBack());
        Assert.Equal(checkpoints - 1, world.File.Newest!.Index.Value);
        Assert.Null(world.File.Older);
        operations = world.Disk.Operations;
        return world;
    }

    private static void WriteOn(CheckpointWorld world)
    {
        using PageStore store = world.File.Load(world.StoreOptions);
        world.ByIndex[world.File.Newest!.Index.Value].AssertHeldBy(store);
        Write(store);
        using CheckpointWriter writer = world.File.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(NewIndex)));
        while (writer.RunOnce())
        {
        }

        writer.Commit();
    }

    private static void CrashEverywhere(int checkpoints, Action<CheckpointWorld> replace)
    {
        CheckpointWorld counted = Disowned(checkpoints, out long start);
        replace(counted);
        Assert.InRange(counted.Disk.Operations - start, 5, 500);
        for (long at = start + 1; at <= counted.Disk.Operations; at++)
        {
            foreach (CrashMode mode in new[] { CrashMode.ProcessDeath, CrashMode.PowerLoss })
            {
                CheckpointWorld world = Disowned(checkpoints, out _);
                world.Disk.CrashAtOperation = at;
                Assert.Throws<SimulatedCrashException>(() => replace(world));
                world.Disk.Crash(mode);
                world.Continue();
                Assert.True(world.File.Newest is not null, $"operation {at - start}, {mode}: {string.Join("; ", world.File.Damage)}");
                long found = world.File.Newest.Index.Value;
                Assert.True(found == checkpoints || found == NewIndex, $"operation {at - start}, {mode}: {found}");
                world.File.Verify();
                Assert.Equal(found, world.File.Newest.Index.Value);
            }
        }
    }

    /// <summary>The newest stands in one place or the other, by how many were written.</summary>
    private static CheckpointWorld Disowned(int checkpoints, out long operations)
    {
        var world = new CheckpointWorld(9);
        for (int i = 0; i < checkpoints; i++)
        {
            world.Churn(60);
            world.Checkpoint();
        }

        world.Continue();
        world.File.Disown();
        operations = world.Disk.Operations;
        return world;
    }

    private static void WriteOwn(CheckpointWorld world)
    {
        using PageStore store = PageStore.Create(world.StoreOptions, world.File);
        Write(store);
        using CheckpointWriter writer = world.File.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(NewIndex)));
        while (writer.RunOnce())
        {
        }

        writer.Commit();
    }

    private static void Adopt(CheckpointWorld world)
    {
        var sender = new CheckpointWorld(10);
        WriteOwn(sender);
        Adoption.Run(sender, world);
    }

    private static void Write(PageStore store)
    {
        for (int i = 0; i < 90; i++)
        {
            using PageHandle handle = store.Pin(store.Allocate(), PageIntent.Write);
            handle.Write[3] = (byte)i;
        }
    }
}
