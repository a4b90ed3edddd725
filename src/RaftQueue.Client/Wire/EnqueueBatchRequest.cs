namespace RaftQueue.Client;

internal sealed record EnqueueBatchRequest(IReadOnlyList<NewJob> Jobs);
