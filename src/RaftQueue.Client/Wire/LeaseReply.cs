namespace RaftQueue.Client;

internal sealed record LeaseReply(IReadOnlyList<Job> Jobs);
