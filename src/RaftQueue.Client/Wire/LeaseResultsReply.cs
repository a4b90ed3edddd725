namespace RaftQueue.Client;

internal sealed record LeaseResultsReply(IReadOnlyList<LeaseResult> Results);
