using System.Diagnostics;
using System.Text.Json.Nodes;

namespace RaftQueue.Tests;

/// <summary>Wrong usage and wrong settings: exit code 2, and one line that says what to do.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("enqueue")]
    [InlineData("enqueue q {")]
    [InlineData("enqueue q 1 --delay 5x")]
    [InlineData("enqueue q 1 --delay 1m --run-at 2030-01-01T00:00:00Z")]
    [InlineData("enqueue q 1 --run-at yesterday")]
    [InlineData("enqueue q - --unique-key k")]
    [InlineData("enqueue q 1 --server ftp://x")]
    [InlineData("work q")]
    [InlineData("work q --concurrency 0 -- true")]
    [InlineData("work q --lease-ms 5 -- true")]
    [InlineData("check /no/such/directory")]
    [InlineData("bench disk /no/such/directory")]
    [InlineData("bench disk --seconds 0")]
    [InlineData("health nonsense")]
    [InlineData("dev --nodes 0")]
    [InlineData("dev --nodes 10")]
    [InlineData("jobs --queue q")]
    [InlineData("schedules")]
    [InlineData("top")]
    [InlineData("restore x")]
    [InlineData("serve --config /no/such/file")]
    [InlineData("serve nonsense")]
    public async Task WrongUsageIsExitCodeTwo(string arguments)
    {
        Run.Result result = await Run.ToEndAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, result.Code);
        Assert.NotEmpty(result.ErrorLines);
    }

    [Theory]
    [InlineData("NodeId", "0")]
    [InlineData("NodeId", "\"one\"")]
    [InlineData("Http", "\"http://0.0.0.0:1\"")]
    [InlineData("HeartbeatMs", "-5")]
    [InlineData("Durability", "\"hope\"")]
    [InlineData("Shards", "0")]
    [InlineData("Nonsense", "1")]
    public async Task AWrongSettingIsOneLineThatNamesIt(string setting, string value)
    {
        using var scratch = new Scratch();
        string config = Config(scratch, "cluster", Scratch.FreePorts(2), settings => settings[setting] = JsonNode.Parse(value));
        Run.Result result = await Run.ToEndAsync("serve", "--config", config);
        Assert.Equal(2, result.Code);
        Assert.Contains(setting, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADirectoryOfAnotherClusterIsRefused()
    {
        using var scratch = new Scratch();
        int port = Scratch.FreePorts(2);
        using (Process first = Run.Start(environment: null, "serve", "--config", Config(scratch, "first", port)))
        {
            await ReadyAsync(port);
            Run.Signal(first.Id, Run.SigTerm);
            Assert.Equal(0, await Run.ExitAsync(first));
        }

        Run.Result result = await Run.ToEndAsync("serve", "--config", Config(scratch, "second", port));
        Assert.Equal(2, result.Code);
        string line = Assert.Single(result.ErrorLines);
        Assert.Contains("first", line, StringComparison.Ordinal);
        Assert.Contains("second", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SettingsComeFromTheEnvironmentAndTheCommandLine()
    {
        using var scratch = new Scratch();
        int port = Scratch.FreePorts(2);
        string config = Config(scratch, "cluster", port, settings => settings["HeartbeatMs"] = -1);
        var environment = new Dictionary<string, string> { ["RaftQueue__HeartbeatMs"] = "-2" };
        Assert.Contains("-2", (await Run.ToEndAsync(environment, input: null, "serve", "--config", config)).Error, StringComparison.Ordinal);
        Assert.Contains("-3", (await Run.ToEndAsync(environment, input: null, "serve", "--config", config, "--RaftQueue:HeartbeatMs=-3")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHelpPageNamesTheCommandsAndHealthSaysNoToNobody()
    {
        Run.Result help = await Run.ToEndAsync("--help");
        Assert.Equal(0, help.Code);
        foreach (string command in new[] { "dev", "serve", "enqueue", "work", "job", "queues", "cluster", "check" })
        {
            Assert.Contains(command, help.Output, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await Run.ToEndAsync("health", $"http://127.0.0.1:{Scratch.FreePorts(1)}")).Code);
    }

    private static Task ReadyAsync(int port) =>
        Run.UntilAsync("the node is ready", async () => (await Run.ToEndAsync("health", $"http://127.0.0.1:{port}")).Code == 0);

    private static string Config(Scratch scratch, string cluster, int port, Action<JsonObject>? change = null)
    {
        var settings = new JsonObject
        {
            ["ClusterId"] = cluster,
            ["NodeId"] = 1,
            ["DataDirectory"] = scratch.Path("node"),
            ["Http"] = $"http://127.0.0.1:{port}",
            ["Peer"] = $"127.0.0.1:{port + 1}",
            ["Members"] = new JsonArray(new JsonObject { ["Id"] = 1, ["Peer"] = $"127.0.0.1:{port + 1}", ["Http"] = $"http://127.0.0.1:{port}" }),
        };
        change?.Invoke(settings);
        string file = scratch.Path($"{cluster}.json");
        File.WriteAllText(file, new JsonObject { ["RaftQueue"] = settings }.ToJsonString());
        return file;
    }
}
