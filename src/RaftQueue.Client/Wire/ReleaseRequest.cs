namespace RaftQueue.Client;

internal sealed record ReleaseRequest(IReadOnlyList<Release> Releases);
