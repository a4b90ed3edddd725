namespace RaftQueue.Client.Tests;

internal sealed record FakeRequest(string Method, Uri Uri, string Body, string? Key)
{
    public string Path => Uri.PathAndQuery;
}
