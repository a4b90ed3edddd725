namespace RaftQueue.Client;

internal sealed record QueuesReply(IReadOnlyList<QueueInfo> Queues, string? Next = null);
