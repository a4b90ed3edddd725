using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace RaftQueue.Client.Tests;

/// <summary>Stands in for the network: every request goes to a function, and is remembered.</summary>
internal sealed class FakeServers(Func<FakeRequest, HttpResponseMessage> answer) : HttpMessageHandler
{
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    public static Uri First { get; } = new("http://first.test:1/");

    public static Uri Second { get; } = new("http://second.test:2/");

    public RaftQueueClient Client(TimeSpan? retryFor = null) => new(new RaftQueueClientOptions
    {
        Servers = [First, Second],
        Handler = this,
        RetryFor = retryFor ?? TimeSpan.FromSeconds(20),
        RetryBase = TimeSpan.FromMilliseconds(1),
        RetryMax = TimeSpan.FromMilliseconds(5),
    });

    public static HttpResponseMessage Json(int status, string body) =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, status < 400 ? "application/json" : "application/problem+json") };

    public static HttpResponseMessage Problem(int status, string code) => Json(status, $$"""{"status":{{status}},"code":"{{code}}","detail":"why"}""");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        string? key = request.Headers.TryGetValues("Idempotency-Key", out IEnumerable<string>? keys) ? keys.Single() : null;
        var seen = new FakeRequest(request.Method.Method, request.RequestUri!, body, key);
        Requests.Enqueue(seen);
        return answer(seen);
    }
}
