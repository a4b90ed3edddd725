using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A run of a lease request's queues that live in one shard, as the body of a lease command.</summary>
public readonly record struct LeaseSegment(ShardId Shard, ReadOnlyMemory<byte> Body);
