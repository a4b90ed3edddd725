using RaftQueue.Jobs;
using RaftQueue.MessagePack;

namespace RaftQueue.Runtime;

/// <summary>A user's read of one job, held back until the job is finished or the wait is over.</summary>
internal sealed class PendingJobRead(
    JobId job,
    bool withPayload,
    long arrivedMicroseconds,
    long waitUntilMicroseconds,
    TaskCreationOptions completionOptions)
    : PendingRead(job.Shard, arrivedMicroseconds)
{
    private readonly TaskCompletionSource<ReadOutcome> _completion = new(completionOptions);

    public Task<ReadOutcome> Task => _completion.Task;

    public override void Execute(ShardApply apply)
    {
        bool finished = apply.Store.IsFinished(job, out bool exists);
        if (exists && !finished && waitUntilMicroseconds > ArrivedMicroseconds
            && apply.Watches.TryAdd(new JobWatch(job, waitUntilMicroseconds, Answer, Undecided)))
        {
            return;
        }

        Answer(apply);
    }

    public override bool TryGiveUp(ReadOutcome outcome)
    {
        Leave();
        _completion.TrySetResult(outcome);
        return true;
    }

    public override void Undecided()
    {
        Leave();
        _completion.TrySetResult(ReadOutcome.Undecided(Shard));
    }

    private void Answer(ShardApply apply)
    {
        apply.ReadBuffer.Clear();
        bool found = apply.Store.TryWriteJob(job, withPayload, new MessagePackWriter(apply.ReadBuffer));
        Leave();
        _completion.TrySetResult(
            new ReadOutcome(true, found, Shard, apply.Store.AppliedIndex, apply.ReadBuffer.WrittenSpan.ToArray()));
    }
}
