using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace RaftQueue.Tests;

/// <summary>How one node, a process of its own, takes being asked to stop.</summary>
public sealed class StopTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly int _port = Scratch.FreePorts(2);
    private readonly string _config;

    public StopTests()
    {
        _config = _scratch.Path("node.json");
        File.WriteAllText(_config, $$"""
            { "RaftQueue": {
                "ClusterId": "stop", "NodeId": 1, "DataDirectory": "{{_scratch.Path("data")}}",
                "Http": "http://127.0.0.1:{{_port}}", "Peer": "127.0.0.1:{{_port + 1}}",
                "Members": [ { "Id": 1, "Peer": "127.0.0.1:{{_port + 1}}", "Http": "http://127.0.0.1:{{_port}}" } ] } }
            """);
    }

    public void Dispose() => _scratch.Dispose();

    /// <summary>
    /// A terminal's Ctrl-C reaches `dev` and its nodes: `dev` closes their input, and they get the signal as well. That is not a
    /// second Ctrl-C.
    /// </summary>
    [Fact]
    public async Task ASignalToWhoStopsAlreadyIsNotTheSecondOne()
    {
        using Process node = Run.Start(environment: null, "serve", "--config", _config, "--stop-with-input");
        await SaysAsync(node, "Listening");
        using (TcpClient client = await HalfARequestAsync())
        {
            node.StandardInput.Close();
            await SaysAsync(node, "Stopping");
            Run.Signal(node.Id, Run.SigInt);
        }

        await SaysAsync(node, "Stopped");
        Assert.Equal(0, await Run.ExitAsync(node));
    }

    [Fact]
    public async Task TheSecondSignalEndsItAtOnce()
    {
        using Process node = Run.Start(environment: null, "serve", "--config", _config);
        await SaysAsync(node, "Listening");
        using TcpClient client = await HalfARequestAsync();
        // Not SIGINT, which a shell makes its background processes ignore.
        Run.Signal(node.Id, Run.SigTerm);
        await SaysAsync(node, "Stopping");
        Run.Signal(node.Id, Run.SigTerm);
        Assert.Equal(128 + Run.SigTerm, await Run.ExitAsync(node));
    }

    [Fact]
    public async Task ASignalWhileItStartsStopsItInOrder()
    {
        using Process node = Run.Start(environment: null, "serve", "--config", _config);
        await SaysAsync(node, "node 1 of cluster stop");
        Run.Signal(node.Id, Run.SigTerm);
        await SaysAsync(node, "Stopped");
        Assert.Equal(0, await Run.ExitAsync(node));
    }

    /// <summary>Keeps an orderly stop waiting for as long as the client is there.</summary>
    private async Task<TcpClient> HalfARequestAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _port);
        const string half = "POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(half));
        return client;
    }

    private static async Task SaysAsync(Process process, string text)
    {
        using var patience = new CancellationTokenSource(Run.Patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal)) return;
        }

        Assert.Fail($"The node ended without \"{text}\".");
    }
}
