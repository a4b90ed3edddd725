using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

public sealed class ModelQueue
{
    public string Name { get; init; } = "";

    public ModelSettings Settings { get; } = new();

    /// <summary>In the order of delivery, one line for each priority.</summary>
    public LinkedList<ModelJob>[] Ready { get; } = [.. Enumerable.Range(0, JobLimits.MaxPriority + 1).Select(_ => new LinkedList<ModelJob>())];

    /// <summary>Succeeded and cancelled, in the order in which they finished.</summary>
    public LinkedList<ModelJob> Finished { get; } = new();

    /// <summary>Scheduled and not retrying, by when they are to run and the order of enqueue.</summary>
    public SortedSet<(long RunAt, ulong Sequence)> Scheduled { get; } = [];

    /// <summary>Those that wait for their next attempt, in the same order.</summary>
    public SortedSet<(long RunAt, ulong Sequence)> Retries { get; } = [];

    /// <summary>In the order in which queues were made.</summary>
    public int Number { get; init; }

    /// <summary>It keeps more finished jobs than it may, and forgets them one by one.</summary>
    public bool IsTrimming { get; set; }

    public long[] Counts { get; } = new long[JobStates.Count];

    public long Enqueued { get; set; }

    public long Succeeded { get; set; }

    public long Failed { get; set; }

    public SortedSet<(long RunAt, ulong Sequence)> Waiting(bool retrying) => retrying ? Retries : Scheduled;

    /// <summary>Some job's time has come that is not ready yet.</summary>
    public bool HasDue(long now) => IsDue(Scheduled, now) || IsDue(Retries, now);

    /// <summary>The first whose time has come of those that are not ready yet, null for none.</summary>
    public ulong? FirstDue(long now)
    {
        bool scheduled = IsDue(Scheduled, now);
        bool retry = IsDue(Retries, now);
        if (!scheduled && !retry) return null;
        if (!retry || (scheduled && Scheduled.Min.CompareTo(Retries.Min) < 0)) return Scheduled.Min.Sequence;
        return Retries.Min.Sequence;
    }

    private static bool IsDue(SortedSet<(long RunAt, ulong Sequence)> line, long now) => line.Count > 0 && line.Min.RunAt <= now;

    /// <summary>The next to be delivered.</summary>
    public ModelJob? FirstReady => Ready.LastOrDefault(line => line.Count > 0)?.First!.Value;

    public string Text(long now)
    {
        var heads = Ready.Where(line => line.Count > 0).Select(line => Math.Min(line.First!.Value.RunAt, now)).ToList();
        return Shots.Queue(Name, Counts, heads.Count == 0 ? null : heads.Min(), Enqueued, Succeeded, Failed) + Settings;
    }
}
