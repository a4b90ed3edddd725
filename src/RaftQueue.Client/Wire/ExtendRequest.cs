namespace RaftQueue.Client;

internal sealed record ExtendRequest(IReadOnlyList<Extend> Extends);
