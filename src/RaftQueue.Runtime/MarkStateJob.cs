using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Marks a shard's state while the node goes on; posted as often as there is a reason. Where the disk has no room for a name it is tried
/// again, until it has.
/// </summary>
internal sealed class MarkStateJob(CheckpointLoop loop, CheckpointFiles files, ShardId shard, StateMark mark) : ICheckpointJob
{
    private const long AgainMicroseconds = 10_000_000;

    private long? _againAt;

    public long RunSlice(long nowMicroseconds)
    {
        if (_againAt <= nowMicroseconds) _againAt = null;
        if (files.TryMark(shard, mark) || _againAt is not null) return ILoopBody.Never;
        _againAt = nowMicroseconds + AgainMicroseconds;
        loop.PostLater(this, _againAt.Value);
        return ILoopBody.Never;
    }
}
