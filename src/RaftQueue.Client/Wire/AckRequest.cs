namespace RaftQueue.Client;

internal sealed record AckRequest(IReadOnlyList<Ack> Acks);
