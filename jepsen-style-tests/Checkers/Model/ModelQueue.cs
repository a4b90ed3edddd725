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

    public long[] Counts { get; } = new long[JobStates.Count];

    public long Enqueued { get; set; }

    public long Succeeded { get; set; }

    public long Failed { get; set; }

    /// <summary>The next to be delivered.</summary>
    public ModelJob? FirstReady => Ready.LastOrDefault(line => line.Count > 0)?.First!.Value;

    public string Text(long now)
    {
        var heads = Ready.Where(line => line.Count > 0).Select(line => Math.Min(line.First!.Value.RunAt, now)).ToList();
        return Shots.Queue(Name, Counts, heads.Count == 0 ? null : heads.Min(), Enqueued, Succeeded, Failed) + Settings;
    }
}
