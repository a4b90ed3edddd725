using RaftQueue.Jobs.Tests.Support;

namespace RaftQueue.Jobs.Tests.Model;

public sealed class ModelQueue
{
    public string Name { get; init; } = "";
    public ModelSettings Settings { get; } = new();

    /// <summary>In the order of delivery within a priority.</summary>
    public List<ModelJob> Ready { get; } = [];

    /// <summary>Succeeded and cancelled, in the order in which they finished.</summary>
    public List<ModelJob> Finished { get; } = [];
    public long Enqueued { get; set; }
    public long Succeeded { get; set; }
    public long Failed { get; set; }

    public string Text(IEnumerable<ModelJob> jobs, long now)
    {
        long[] counts = new long[JobStates.Count];
        foreach (ModelJob job in jobs.Where(job => job.Queue == this && !job.Forgotten)) counts[(int)job.State]++;
        var heads = Ready.GroupBy(job => job.Priority).Select(group => Math.Min(group.First().RunAt, now)).ToList();
        return Shots.Queue(Name, counts, heads.Count == 0 ? null : heads.Min(), Enqueued, Succeeded, Failed);
    }
}
