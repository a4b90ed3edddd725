using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using RaftQueue.Server.Hosting;

namespace RaftQueue.Server.Tests.Support;

/// <summary>A cluster of one node on free loopback ports with a data directory of its own, removed afterwards.</summary>
public sealed class TestNode : IAsyncLifetime
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"raftqueue-{Guid.NewGuid():N}");
    private readonly Dictionary<string, string?> _extra;
    private RaftQueueHost? _host;

    public TestNode()
        : this([])
    {
    }

    internal TestNode(Dictionary<string, string?> extra) => _extra = extra;

    /// <summary>Where its peers would reach it.</summary>
    public string Peer { get; private set; } = "";

    public RaftQueueHost Host => _host!;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    public async Task InitializeAsync()
    {
        string peer = $"127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}";
        var settings = new Dictionary<string, string?>
        {
            ["RaftQueue:ClusterId"] = "test",
            ["RaftQueue:NodeId"] = "1",
            ["RaftQueue:DataDirectory"] = _directory,
            ["RaftQueue:Http"] = "http://127.0.0.1:0",
            ["RaftQueue:Peer"] = peer,
            ["RaftQueue:Members:0:Id"] = "1",
            ["RaftQueue:Members:0:Peer"] = peer,
            ["RaftQueue:Members:0:Http"] = "http://127.0.0.1:80",
            ["RaftQueue:DrainMs"] = "2000",
            ["Logging:LogLevel:Default"] = "Warning",
        };
        foreach ((string name, string? value) in _extra) settings[name] = value;
        Peer = settings["RaftQueue:Peer"]!;
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        _host = await RaftQueueHost.StartAsync(SettingsReader.Read(configuration), configuration.GetSection("Logging"));
        Http.BaseAddress = Host.Address;
        await WaitUntilReadyAsync();
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        if (_host is not null) await _host.StopAsync("the test is over");
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task WaitUntilReadyAsync()
    {
        for (int i = 0; i < 600; i++)
        {
            using HttpResponseMessage reply = await Http.GetAsync(new Uri("/healthz/ready", UriKind.Relative));
            if (reply.StatusCode == HttpStatusCode.OK) return;
            await Task.Delay(50);
        }

        throw new TimeoutException("The node did not become ready.");
    }
}
