namespace RaftQueue.Runtime;

/// <summary>Something that reached the node and is dealt with on the replica loop, in order of arrival.</summary>
internal interface IReplicaInput
{
    void Run(ReplicaLoop loop, long nowMicroseconds);
}
