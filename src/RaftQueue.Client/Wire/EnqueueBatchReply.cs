namespace RaftQueue.Client;

internal sealed record EnqueueBatchReply(IReadOnlyList<EnqueuedJob> Jobs);
