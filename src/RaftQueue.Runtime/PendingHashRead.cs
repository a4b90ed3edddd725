using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A read of the state hash at an index.</summary>
internal sealed class PendingHashRead(
    ShardId shard, long arrivedMicroseconds, LogIndex index, TaskCreationOptions completionOptions)
    : PendingRead(shard, arrivedMicroseconds)
{
    private readonly TaskCompletionSource<ulong?> _completion = new(completionOptions);

    public Task<ulong?> Task => _completion.Task;

    public override void Execute(ShardApply apply) => Answer(apply.Store.TryStateHashAt(index, out ulong hash) ? hash : null);

    public override void Undecided() => Answer(null);

    private void Answer(ulong? hash)
    {
        Leave();
        _completion.TrySetResult(hash);
    }
}
