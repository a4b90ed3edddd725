using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Support;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Jobs.Tests;

/// <summary>Jobs that are not in memory are asked of the disk together, before the first of them is waited for.</summary>
public sealed class PrefetchTests : IDisposable
{
    private const int Jobs = 6_000;
    private const int Many = 100;
    private const long Hour = 3_600_000;

    private readonly CountingDisk _disk;
    private readonly CheckpointFile _file;
    private readonly Shard _shard;
    private readonly SplitMix64 _random = new(5);

    public PrefetchTests()
    {
        var disk = new FakeDisk();
        disk.CreateDirectory("/data");
        _disk = new CountingDisk(disk);
        _file = CheckpointFile.OpenOrCreate(_disk, "/data/checkpoint", new CheckpointOptions());
        _shard = new Shard(new Replica(checkReads: false, residentPages: 4_000, file: _file));
        _shard.Run(CommandType.Settings, Bodies.Settings(new ReplicatedSettings()));
        for (int i = 0; i < Jobs; i += 1_000)
        {
            var jobs = new PlainJob[1_000];
            for (int k = 0; k < jobs.Length; k++)
                jobs[k] = new PlainJob { Payload = $"\"{new string('x', 300)}{i + k}\"", DelayMs = Hour + (_random.NextBelow(30 * 24) * Hour) };
            _shard.Enqueue("q", jobs);
        }
    }

    [Fact]
    public void JobsToBeGranted()
    {
        Cold();
        Assert.Equal(Many, _shard.Lease("q", Many, leaseMs: 60_000, pullAheadMs: 60L * 24 * Hour).Count);
        RequireTogether(least: 2 * Many * 8 / 10);
    }

    [Fact]
    public void NotThePayloadsThatSomebodyElseSends()
    {
        Cold();
        byte[] body = Bodies.Lease(["q"], Many, 60_000, "w", 60L * 24 * Hour);
        _shard.Replica.Apply(Entries.Build(_shard.Store.AppliedIndex.Value + 1, _shard.Now, [new Command(CommandType.Lease, new Incarnation(7), 1, body)]));
        RequireTogether(least: Many / 2);
        Assert.InRange(_shard.Replica.Pages.Counters.Prefetches, Many / 2, Many);
    }

    [Fact]
    public void JobsWhoseTokensAreNamed()
    {
        List<LeaseToken> tokens = _shard.Lease("q", Many, leaseMs: 60_000, pullAheadMs: 60L * 24 * Hour);
        Cold();
        _shard.Run(CommandType.Ack, Bodies.Ack(tokens));
        Assert.True(Advised() >= Many / 2, $"{Advised()} pages were asked for ahead");
        Assert.Equal(Many, Count(JobState.Succeeded));
    }

    [Fact]
    public void WhereRescheduledJobsGo()
    {
        List<LeaseToken> tokens = _shard.Lease("q", Many, leaseMs: 60_000, pullAheadMs: 60L * 24 * Hour);
        Cold();
        _shard.Run(CommandType.Reschedule, Bodies.Reschedule(tokens[..1], delayMs: 29L * 24 * Hour));
        // The job; then where its time lies, in the last leaves of the tree; nothing more than once.
        Assert.Equal(2, Advised());
        Assert.Equal(Jobs - Many + 1, Count(JobState.Scheduled));
    }

    [Fact]
    public void JobsThatFallDue()
    {
        Cold();
        _shard.Advance(60L * 24 * Hour);
        Assert.Equal(JobLimits.TimersPerEntry, Count(JobState.Ready));
        RequireTogether(least: Jobs / 100);
    }

    [Fact]
    public void JobsThatAreForgotten()
    {
        _shard.Run(CommandType.Ack, Bodies.Ack(_shard.Lease("q", 500, leaseMs: 60_000, pullAheadMs: 60L * 24 * Hour)));
        Cold();
        _shard.Advance(new ReplicatedSettings().DefaultKeepMs + 1);
        Assert.Equal(0, Count(JobState.Succeeded));
        RequireTogether(least: 400);
    }

    [Fact]
    public void NothingIsAskedForThatIsInMemory()
    {
        _shard.Lease("q", Many, pullAheadMs: 60L * 24 * Hour);
        Assert.Equal(0, _shard.Replica.Pages.Counters.Prefetches);
    }

    public void Dispose()
    {
        _shard.Dispose();
        _file.Dispose();
    }

    private void Cold()
    {
        _shard.Replica.Reload(_file);
        _disk.Calls.Clear();
    }

    private int Advised() => _disk.Calls.Count(call => call.Advice == DiskAdvice.ReadSoon);

    /// <summary>So many pages were read after they had been asked for, many others of them being on their way, and few without.</summary>
    private void RequireTogether(int least)
    {
        var asked = new HashSet<long>();
        int announced = 0;
        int alone = 0;
        long onTheWay = 0;
        foreach ((DiskAdvice? advice, long offset, _) in _disk.Calls)
        {
            if (advice is not null)
            {
                asked.Add(offset);
                continue;
            }

            bool wasAsked = asked.Remove(offset);
            if (!wasAsked) alone++;
            else announced++;
            if (wasAsked) onTheWay += asked.Count;
        }

        Assert.True(announced >= least, $"{announced} of {announced + alone} pages were asked for before they were read");
        Assert.True(onTheWay >= 10 * announced, $"{onTheWay / announced} others were on their way");
        Assert.True(alone <= 20 + (announced / 5), $"{alone} pages were waited for one by one beside {announced}");
    }

    private long Count(JobState state)
    {
        using var buffer = new PooledBuffer();
        Assert.True(_shard.Store.TryWriteQueue("q"u8, new MessagePackWriter(buffer)));
        var reader = new MessagePackReader(buffer.WrittenSpan);
        Assert.True(QueueView.TryRead(ref reader, out QueueView view));
        return view.CountOf(state);
    }
}
