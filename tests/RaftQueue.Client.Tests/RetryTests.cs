using System.Net;
using System.Net.Sockets;

namespace RaftQueue.Client.Tests;

/// <summary>What the client repeats, where it goes next, and what it says about the outcome.</summary>
public sealed class RetryTests
{
    private const string Enqueued = """{"id":"a1","state":"ready"}""";

    [Fact]
    public async Task GoesOnToTheNextServerWhenOneCannotBeReached()
    {
        var servers = new FakeServers(request => request.Uri.Host == "first.test" ? throw Refused() : FakeServers.Json(201, Enqueued));
        using RaftQueueClient client = servers.Client();
        for (int i = 0; i < 8; i++) Assert.Equal("a1", (await client.EnqueueAsync("q", new NewJob())).Id);
        Assert.InRange(servers.Requests.Count(request => request.Uri.Host == "first.test"), 0, 1);
    }

    [Fact]
    public async Task RepeatsAnEnqueueWhoseOutcomeIsOpenUnderTheSameKey()
    {
        int calls = 0;
        var servers = new FakeServers(_ => ++calls switch
        {
            1 => throw new HttpRequestException(HttpRequestError.ResponseEnded, "cut"),
            2 => FakeServers.Problem(504, "outcome_unknown"),
            3 => FakeServers.Json(502, "<html>a proxy's page</html>"),
            4 => FakeServers.Problem(503, "no_leader"),
            _ => FakeServers.Json(201, Enqueued),
        });
        using RaftQueueClient client = servers.Client();
        await client.EnqueueAsync("q", new NewJob());
        Assert.Equal(5, servers.Requests.Count);
        Assert.NotNull(Assert.Single(servers.Requests.Select(request => request.Key).Distinct()));
    }

    [Fact]
    public async Task EveryCallHasAKeyOfItsOwnUnlessGivenOne()
    {
        var servers = new FakeServers(_ => FakeServers.Json(201, Enqueued));
        using RaftQueueClient client = servers.Client();
        await client.EnqueueAsync("q", new NewJob());
        await client.EnqueueAsync("q", new NewJob());
        await client.EnqueueAsync("q", new NewJob(), "mine");
        string?[] keys = [.. servers.Requests.Select(request => request.Key)];
        Assert.Equal(3, keys.Distinct().Count());
        Assert.Equal("mine", keys[2]);
    }

    [Theory]
    [InlineData(400, "invalid_request")]
    [InlineData(409, "unique_conflict")]
    [InlineData(429, "queue_full")]
    [InlineData(401, "unauthorized")]
    public async Task ARefusalIsFinalAndDefinite(int status, string code)
    {
        var servers = new FakeServers(_ => FakeServers.Problem(status, code));
        using RaftQueueClient client = servers.Client();
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.Equal(code, error.Code);
        Assert.Equal(status, error.Status);
        Assert.False(error.IsOutcomeUnknown);
        Assert.Single(servers.Requests);
    }

    [Fact]
    public async Task ARefusalAfterALostReplyLeavesTheOutcomeOpen()
    {
        int calls = 0;
        var servers = new FakeServers(_ => ++calls == 1 ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "cut") : FakeServers.Problem(429, "queue_full"));
        using RaftQueueClient client = servers.Client();
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.True(error.IsOutcomeUnknown);
        Assert.Equal("queue_full", error.Code);
    }

    [Fact]
    public async Task NoLeaderForTheWholeTimeIsDefinite()
    {
        var servers = new FakeServers(_ => FakeServers.Problem(503, "no_leader"));
        using RaftQueueClient client = servers.Client(TimeSpan.FromMilliseconds(50));
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.Equal("no_leader", error.Code);
        Assert.False(error.IsOutcomeUnknown);
        Assert.True(servers.Requests.Count > 2);
        Assert.Equal(2, servers.Requests.Select(request => request.Uri.Host).Distinct().Count());
    }

    [Fact]
    public async Task NobodyThereIsDefinite()
    {
        var servers = new FakeServers(_ => throw Refused());
        using RaftQueueClient client = servers.Client(TimeSpan.FromMilliseconds(20));
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.Equal("unreachable", error.Code);
        Assert.False(error.IsOutcomeUnknown);
    }

    [Fact]
    public async Task ALostReplyAndThenNobodyIsUnknown()
    {
        int calls = 0;
        var servers = new FakeServers(_ => throw (++calls == 1 ? new HttpRequestException(HttpRequestError.ResponseEnded, "cut") : Refused()));
        using RaftQueueClient client = servers.Client(TimeSpan.FromMilliseconds(20));
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.Equal("outcome_unknown", error.Code);
        Assert.True(error.IsOutcomeUnknown);
    }

    [Fact]
    public async Task AReadIsNeverOfUnknownOutcome()
    {
        var servers = new FakeServers(_ => FakeServers.Json(502, ""));
        using RaftQueueClient client = servers.Client(TimeSpan.FromMilliseconds(20));
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.GetQueuesAsync());
        Assert.False(error.IsOutcomeUnknown);
    }

    [Fact]
    public async Task AnotherServersPageIsNotTakenForAnAnswer()
    {
        var servers = new FakeServers(_ => FakeServers.Json(404, "<html>nothing here</html>"));
        using RaftQueueClient client = servers.Client();
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => client.EnqueueAsync("q", new NewJob()));
        Assert.True(error.IsOutcomeUnknown);
        Assert.Single(servers.Requests);
    }

    [Fact]
    public async Task FindsTheLivingServerOverRealSockets()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Task serving = ServeOnceAsync(listener, """{"id":"real","state":"ready"}""");
        using var client = new RaftQueueClient(new Uri($"http://127.0.0.1:{FreePort()}"), new Uri($"http://127.0.0.1:{port}"));
        Assert.Equal("real", (await client.EnqueueAsync("q", new NewJob())).Id);
        await serving;
    }

    private static HttpRequestException Refused() => new(HttpRequestError.ConnectionError, "refused");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ServeOnceAsync(TcpListener listener, string body)
    {
        using TcpClient connection = await listener.AcceptTcpClientAsync();
        NetworkStream stream = connection.GetStream();
        byte[] buffer = new byte[64 * 1024];
        int read = 0;
        while (!System.Text.Encoding.ASCII.GetString(buffer, 0, read).Contains("\r\n\r\n{}", StringComparison.Ordinal))
        {
            int more = await stream.ReadAsync(buffer.AsMemory(read));
            if (more == 0) throw new IOException("The client hung up.");
            read += more;
        }

        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }
}
