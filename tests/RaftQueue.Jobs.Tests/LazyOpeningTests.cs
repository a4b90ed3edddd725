using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Support;
using RaftQueue.Pages;
using RaftQueue.TestKit;

namespace RaftQueue.Jobs.Tests;

/// <summary>Opening a state reads few of its pages, and each operation few more.</summary>
public sealed class LazyOpeningTests
{
    private const int Queues = 1500;

    [Fact]
    public void OpeningReadsNamesAndNotQueues()
    {
        using CheckpointFile file = NewFile();
        using Replica replica = Filled(file);
        replica.Reload(file);
        long allocated = replica.Pages.AllocatedPages;
        Assert.True(allocated > Queues);
        Assert.InRange(replica.Pages.Counters.ColdReads, 1, 2 + (Queues * 16 / PageStore.PageSize) + 1);

        // The queue's page, the first ready job's; and again none.
        long before = replica.Pages.Counters.ColdReads;
        string? one = replica.Queue("q0700");
        Assert.Contains("q0700", one, StringComparison.Ordinal);
        Assert.InRange(replica.Pages.Counters.ColdReads - before, 1, 3);
        before = replica.Pages.Counters.ColdReads;
        Assert.Equal(one, replica.Queue("q0700"));
        Assert.Equal(before, replica.Pages.Counters.ColdReads);
        Assert.Null(replica.Queue("q9999"));
    }

    [Fact]
    public void AReopenedStateGoesOnToTheSamePages()
    {
        using CheckpointFile file = NewFile();
        using CheckpointFile other = NewFile();
        using Replica still = Filled(file);
        using Replica reopened = Filled(other);
        reopened.Reload(other);
        for (long index = 2; index < 30; index++)
        {
            byte[] entry = Entries.Build(index, 2_000_000 + index, [
                new Command(CommandType.Enqueue, Replica.Local, (ulong)index, Bodies.Enqueue($"q{index * 53:0000}", single: false, [new PlainJob()])),
                new Command(CommandType.Enqueue, Replica.Local, (ulong)index + 1000, Bodies.Enqueue($"new{index % 3}", single: false, [new PlainJob()])),
                new Command(CommandType.Lease, Replica.Local, (ulong)index + 2000, Bodies.Lease([$"q{index * 31:0000}"], 2, 1000, "w")),
            ]);
            still.Apply(entry);
            reopened.Apply(entry);
            if (index % 9 == 0) reopened.Reload(other);
        }

        Model.ModelRun.SamePages(still, reopened);
    }

    private static Replica Filled(CheckpointFile file)
    {
        var replica = new Replica(residentPages: 64, file: file);
        var commands = new List<Command> { new(CommandType.Settings, Replica.Local, 1, Bodies.Settings(new ReplicatedSettings())) };
        for (int i = 0; i < Queues; i++)
        {
            byte[] body = Bodies.Enqueue($"q{i:0000}", single: false, [new PlainJob { Payload = "1" }]);
            commands.Add(new Command(CommandType.Enqueue, Replica.Local, (ulong)i + 2, body));
        }

        replica.Apply(Entries.Build(1, 1_000_000, commands));
        return replica;
    }

    private static CheckpointFile NewFile()
    {
        var disk = new FakeDisk();
        disk.CreateDirectory("/data");
        return CheckpointFile.OpenOrCreate(disk, "/data/checkpoint", new CheckpointOptions());
    }
}
