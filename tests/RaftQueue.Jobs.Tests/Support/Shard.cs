using RaftQueue.Checkers.Model;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>A replica with a clock and one command an entry: for tests that tell a story.</summary>
public sealed class Shard(Replica replica) : IDisposable
{
    private ulong _number;
    private long _index;

    public Shard()
        : this(new Replica())
    {
    }

    public Replica Replica { get; } = replica;

    public JobStore Store => Replica.Store;

    /// <summary>Unix ms of the next entry.</summary>
    public long Now { get; set; } = 1_000_000;

    /// <summary>Ids in the order of results of the last command.</summary>
    public List<JobId> Ids { get; } = [];

    /// <summary>Tokens of the last lease.</summary>
    public List<LeaseToken> Tokens { get; } = [];

    public string Run(CommandType type, byte[] body, bool single = false)
    {
        Ids.Clear();
        Tokens.Clear();
        Replica.Apply(Entries.Build(++_index, Now, [new Command(type, Replica.Local, ++_number, body)]));
        return ResultText.Of(type, single, Assert.Single(Replica.Results()), Ids, Tokens);
    }

    public List<JobId> Enqueue(string queue, params PlainJob[] jobs)
    {
        Run(CommandType.Enqueue, Bodies.Enqueue(queue, single: false, jobs));
        return [.. Ids];
    }

    public List<LeaseToken> Lease(string queue, int maxJobs = 1, long? leaseMs = 1000, long pullAheadMs = 0)
    {
        Run(CommandType.Lease, Bodies.Lease([queue], maxJobs, leaseMs, "w", pullAheadMs));
        return [.. Tokens];
    }

    /// <summary>Time passes and an entry shows it.</summary>
    public void Advance(long milliseconds)
    {
        Now += milliseconds;
        Run(CommandType.Tick, Bodies.Empty());
    }

    public string Text(JobId id) => Replica.Job(id) ?? "none";

    public void Dispose() => Replica.Dispose();
}
