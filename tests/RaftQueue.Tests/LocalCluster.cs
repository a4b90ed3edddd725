using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace RaftQueue.Tests;

/// <summary>`raftqueue dev` with three nodes, in a directory of its own.</summary>
public sealed class LocalCluster : IAsyncLifetime
{
    private readonly Scratch _scratch = new();
    private readonly ConcurrentQueue<string> _said = new();
    private readonly int _port = Scratch.FreePorts(6);
    private Process? _dev;
    private Task _reading = Task.CompletedTask;

    public string Data => _scratch.Path("data");

    public string DevArguments => $"dev --port {_port} --peer-port {_port + 3} --data {Data} --restart";

    /// <summary>The process that keeps the nodes.</summary>
    public Process Dev => _dev ?? throw new InvalidOperationException("The cluster is not running.");

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["RAFTQUEUE_SERVER"] = string.Join(',', Enumerable.Range(_port, 3).Select(port => $"http://127.0.0.1:{port}")),
    };

    /// <summary>Where a node answers.</summary>
    public Uri Http(int node) => new($"http://127.0.0.1:{_port + node - 1}/");

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        if (_dev is { HasExited: false }) await StopAsync();
        _dev?.Dispose();
        _scratch.Dispose();
    }

    public async Task StartAsync()
    {
        _said.Clear();
        _dev = Run.Start(environment: null, DevArguments.Split(' '));
        _reading = ReadAsync(_dev.StandardOutput);
        _ = ReadAsync(_dev.StandardError);
        await Run.UntilAsync("all nodes are ready", () =>
        {
            Assert.False(_dev.HasExited, string.Join('\n', _said));
            return Task.FromResult(_said.Contains("3 nodes ready"));
        });
    }

    public async Task<int> StopAsync(int signal = Run.SigTerm)
    {
        Run.Signal(Dev.Id, signal);
        int code = await Run.ExitAsync(Dev);
        await _reading;
        return code;
    }

    internal Task<Run.Result> CommandAsync(params string[] arguments) => Run.ToEndAsync(Environment, input: null, arguments);

    internal Task<Run.Result> CommandWithInputAsync(string input, params string[] arguments) => Run.ToEndAsync(Environment, input, arguments);

    internal async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonDocument.Parse((await CommandAsync([.. arguments, "--json"])).Ok()).RootElement;

    /// <summary>The last process of a node that was started.</summary>
    public int ProcessOf(int node) => _said
        .Select(line => line.Split("  process "))
        .Where(parts => parts.Length == 2 && parts[0] == $"node {node}")
        .Select(parts => int.TryParse(parts[1], out int process) ? process : 0)
        .Last(process => process > 0);

    /// <summary>The leader as the first node sees it that answers; waits for one.</summary>
    public async Task<int> LeaderAsync()
    {
        int leader = 0;
        await Run.UntilAsync("there is a leader", async () =>
        {
            JsonElement shard = (await JsonAsync("cluster")).GetProperty("shards")[0];
            return shard.GetProperty("leader").ValueKind == JsonValueKind.Number && (leader = shard.GetProperty("leader").GetInt32()) > 0;
        });
        return leader;
    }

    internal async Task<long> CountAsync(string queue, string state)
    {
        foreach (string line in (await CommandAsync("queues", "--json")).Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            JsonElement found = JsonDocument.Parse(line).RootElement;
            if (found.GetProperty("name").GetString() == queue) return found.GetProperty("counts").GetProperty(state).GetInt64();
        }

        return 0;
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line) _said.Enqueue(line);
    }
}
