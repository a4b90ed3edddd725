using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A user's read of the state of one shard.</summary>
internal sealed class PendingStateRead<TArgument>(
    ShardId shard,
    long arrivedMicroseconds,
    TArgument argument,
    StateRead<TArgument> read,
    TaskCreationOptions completionOptions)
    : PendingRead(shard, arrivedMicroseconds)
{
    private readonly TaskCompletionSource<ReadOutcome> _completion = new(completionOptions);

    public Task<ReadOutcome> Task => _completion.Task;

    public override void Execute(ShardApply apply)
    {
        apply.ReadBuffer.Clear();
        bool found = read(apply.Store, argument, apply.ReadBuffer);
        Leave();
        _completion.TrySetResult(
            new ReadOutcome(true, found, Shard, apply.Store.AppliedIndex, apply.ReadBuffer.WrittenSpan.ToArray()));
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
}
