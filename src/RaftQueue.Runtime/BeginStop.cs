namespace RaftQueue.Runtime;

/// <summary>The operator asked this node to stop.</summary>
internal sealed class BeginStop(NodeStop stop) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        loop.Stopping = stop;
        foreach (ShardReplica shard in loop.Shards) shard.BeginStop(nowMicroseconds);
    }
}
