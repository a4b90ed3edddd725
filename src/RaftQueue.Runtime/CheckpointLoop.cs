using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Writes and installs checkpoints of all shards, one job at a time in order of arrival, beside the apply loop. Its inbox may
/// be filled from any thread; the checkpoint files belong to it.
/// </summary>
internal sealed class CheckpointLoop(NodeShared node) : ILoopBody
{
    private readonly Inbox<ICheckpointJob> _inbox = new();
    private readonly Queue<ICheckpointJob> _jobs = new();
    private readonly List<(ICheckpointJob Job, long At)> _later = [];
    private readonly int[] _busy = new int[node.Options.Shards];
    private CheckpointFiles _files = null!;
    private long _restsUntil; // the first job's next slice

    public ILoopHandle? Handle { get; set; }

    public ReplicaLoop? Replica { get; set; }

    /// <summary>Before the loop starts.</summary>
    public void Use(CheckpointFiles files) => _files = files;

    /// <summary>Apply loop: claims the shard for one checkpoint. False while the last one is still being written or installed.</summary>
    public bool TryBegin(ShardId shard) => Interlocked.CompareExchange(ref _busy[shard.Value], 1, 0) == 0;

    /// <summary>The claim is over, however it went.</summary>
    public void End(ShardId shard) => Volatile.Write(ref _busy[shard.Value], 0);

    /// <summary>Apply loop, after <see cref="TryBegin"/>.</summary>
    public void Write(FrozenPages frozen) => Post(new WriteCheckpointJob(node, this, _files, frozen));

    /// <summary>Apply loop: this state is not used any more; jobs before this one may still read its pages.</summary>
    public void Retire(ShardState state) => Post(new RetireStateJob(state));

    /// <summary>
    /// Apply loop: pages were evicted. <paramref name="done"/> is called on this loop once they are synced and there is room for
    /// more, or (false) none to be had.
    /// </summary>
    public void Tend(ShardState state, Action<bool> done) => Post(new TendPagesJob(state.Pages, done));

    public void Post(ICheckpointJob job)
    {
        _inbox.Add(job);
        Handle?.Wake();
    }

    /// <summary>This loop: the job runs at that time, behind those that are there by then.</summary>
    public void PostLater(ICheckpointJob job, long atMicroseconds) => _later.Add((job, atMicroseconds));

    public long RunOnce()
    {
        long now = node.Clock.MonotonicMicroseconds;
        foreach (ICheckpointJob job in _inbox.TakeAll())
        {
            // Between two slices of a long job: whoever evicts pages would have to wait for the disk himself, and a mark is for the case that
            // the process does not live to see the end of it.
            if (job is TendPagesJob or MarkStateJob) job.RunSlice(now);
            else _jobs.Enqueue(job);
        }

        for (int i = _later.Count - 1; i >= 0; i--)
        {
            if (_later[i].At > now) continue;
            _jobs.Enqueue(_later[i].Job);
            _later.RemoveAt(i);
        }

        if (!_jobs.TryPeek(out ICheckpointJob? current)) return NextLater();
        if (now < _restsUntil) return _restsUntil;
        long next = current.RunSlice(now);
        if (next != ILoopBody.Never) return _restsUntil = next;
        _restsUntil = 0;
        _jobs.Dequeue();
        return _jobs.Count > 0 ? 0 : NextLater();
    }

    private long NextLater()
    {
        long next = ILoopBody.Never;
        foreach ((ICheckpointJob _, long at) in _later) next = Math.Min(next, at);
        return next;
    }
}
