using RaftQueue.Jobs;

namespace RaftQueue.Runtime;

/// <summary>Readers of one shard that wait for jobs to be finished, woken by the apply that finishes them. Apply loop.</summary>
internal sealed class JobWatches(ShardApply apply)
{
    /// <summary>More readers than this are answered at once.</summary>
    private const int MaxWatches = 65_536;

    private readonly Dictionary<JobId, List<JobWatch>> _byJob = [];
    private readonly PriorityQueue<JobWatch, long> _byDeadline = new();
    private readonly List<JobWatch> _finished = [];

    /// <summary>False when there are too many already.</summary>
    public bool TryAdd(JobWatch watch)
    {
        if (_byDeadline.Count >= MaxWatches) return false;
        if (!_byJob.TryGetValue(watch.Job, out List<JobWatch>? list)) _byJob.Add(watch.Job, list = []);
        list.Add(watch);
        _byDeadline.Enqueue(watch, watch.DeadlineMicroseconds);
        return true;
    }

    public void Applied(ApplyOutput output)
    {
        if (_byJob.Count == 0) return;
        foreach (JobId job in output.Finished)
        {
            if (_byJob.Remove(job, out List<JobWatch>? list)) _finished.AddRange(list);
        }
    }

    /// <summary>Serves who is finished or has waited long enough; returns the next deadline.</summary>
    public long Serve(long nowMicroseconds)
    {
        foreach (JobWatch watch in _finished) watch.Serve(apply);
        _finished.Clear();
        while (_byDeadline.TryPeek(out JobWatch? watch, out long deadline) && (watch.IsOver || deadline <= nowMicroseconds))
        {
            _byDeadline.Dequeue();
            if (watch.IsOver) continue;
            if (_byJob.TryGetValue(watch.Job, out List<JobWatch>? list) && list.Remove(watch) && list.Count == 0)
            {
                _byJob.Remove(watch.Job);
            }

            watch.Serve(apply);
        }

        return _byDeadline.TryPeek(out _, out long next) ? next : long.MaxValue;
    }

    public void Abandon()
    {
        while (_byDeadline.TryDequeue(out JobWatch? watch, out _)) watch.Abandon();
        _byJob.Clear();
    }
}
