namespace RaftQueue.Client;

/// <summary>The hash of a shard's state at a log position: equal on all nodes.</summary>
public sealed record StateHash(long Index, string Hash);
