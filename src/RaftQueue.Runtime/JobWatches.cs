using RaftQueue.Jobs;

namespace RaftQueue.Runtime;

/// <summary>Readers of one shard that wait for jobs to be finished, woken by the apply that finishes them. Apply loop.</summary>
internal sealed class JobWatches(ShardApply apply)
{
    /// <summary>More readers than this are answered at once.</summary>
    private const int MaxWatches = 65_536;
    private const int MinDeadlinesToDrop = 1024;

    private readonly Dictionary<JobId, List<JobWatch>> _byJob = [];
    private readonly PriorityQueue<JobWatch, long> _byDeadline = new();
    private readonly List<JobWatch> _finished = [];
    private int _open;

    /// <summary>False when there are too many already.</summary>
    public bool TryAdd(JobWatch watch)
    {
        if (_open >= MaxWatches) return false;
        DropFinishedDeadlines();
        _open++;
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
        foreach (JobWatch watch in _finished) ServeOne(watch);
        _finished.Clear();
        while (_byDeadline.TryPeek(out JobWatch? watch, out long deadline) && (watch.IsOver || deadline <= nowMicroseconds))
        {
            _byDeadline.Dequeue();
            if (watch.IsOver) continue;
            if (_byJob.TryGetValue(watch.Job, out List<JobWatch>? list) && list.Remove(watch) && list.Count == 0)
            {
                _byJob.Remove(watch.Job);
            }

            ServeOne(watch);
        }

        return _byDeadline.TryPeek(out _, out long next) ? next : long.MaxValue;
    }

    /// <summary>Deadlines of jobs that finished long before them are not kept until then.</summary>
    private void DropFinishedDeadlines()
    {
        if (_byDeadline.Count < MinDeadlinesToDrop || _byDeadline.Count < 4 * _open) return;
        List<(JobWatch, long)> open = [.. _byDeadline.UnorderedItems.Where(item => !item.Element.IsOver)];
        _byDeadline.Clear();
        _byDeadline.EnqueueRange(open);
    }

    private void ServeOne(JobWatch watch)
    {
        _open--;
        watch.Serve(apply);
    }

    public void Abandon()
    {
        while (_byDeadline.TryDequeue(out JobWatch? watch, out _)) watch.Abandon();
        _byJob.Clear();
    }
}
