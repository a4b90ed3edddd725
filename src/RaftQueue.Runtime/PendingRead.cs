using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A read that waits for a leader's confirmation and then for the state to be new enough.</summary>
internal abstract class PendingRead(ShardId shard, long arrivedMicroseconds)
{
    public ShardId Shard { get; } = shard;

    public long ArrivedMicroseconds { get; } = arrivedMicroseconds;

    /// <summary>Where it is counted until it is answered.</summary>
    public ReadTable? Table { get; set; }

    /// <summary>Apply loop: the state is new enough now.</summary>
    public abstract void Execute(ShardApply apply);

    /// <summary>Any loop: no leader confirmed in time, or the node stops.</summary>
    public abstract void Undecided();

    /// <summary>
    /// Apply loop: the state here is not one to read from, or has not become new enough in time. True when that was the answer; false when
    /// something else ends the wait.
    /// </summary>
    public virtual bool TryGiveUp(ReadOutcome outcome) => false;

    /// <summary>Right before the answer.</summary>
    protected void Leave() => Table?.Remove(this);
}
