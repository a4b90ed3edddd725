namespace RaftQueue.Runtime;

/// <summary>The round after which "nothing to be had" may be said.</summary>
internal sealed class EmptyLeaseConfirmation(ShardApply shard, LeaseWaiter waiter, long arrivedMicroseconds)
    : PendingRead(shard.Shard, arrivedMicroseconds)
{
    public override void Execute(ShardApply apply) => apply.Leases.Confirmed(waiter, apply.Store.AppliedIndex);

    public override void Undecided() => shard.LeaseUnconfirmed(waiter);
}
