namespace RaftQueue.Client;

internal sealed record NackRequest(IReadOnlyList<Nack> Nacks);
