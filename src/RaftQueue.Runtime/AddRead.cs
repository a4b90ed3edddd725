namespace RaftQueue.Runtime;

/// <summary>A read wants a confirmation round.</summary>
internal sealed class AddRead(PendingRead read) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Shard(read.Shard).Reads.Add(read);
}
