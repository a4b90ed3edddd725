using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using RaftQueue.Bench;

namespace RaftQueue.Processes;

/// <summary>
/// One node as a process of its own. It sees the end of its standard input when this program ends, however that happens, and stops.
/// </summary>
internal sealed class ClusterNode(string program, string directory, int id, int nodes, int port, string settings) : IDisposable
{
    private const int PeerPortsAbove = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private Process? _process;

    public int Id => id;

    public Uri Address { get; } = new($"http://127.0.0.1:{port + id - 1}");

    public string DataDirectory => Path.Combine(directory, $"node{id}");

    public string LogFile => Path.Combine(directory, $"node{id}.log");

    public int ProcessId => _process!.Id;

    public bool IsRunning => _process is { HasExited: false };

    public void Start()
    {
        string config = Path.Combine(directory, $"node{id}.json");
        if (!File.Exists(config)) File.WriteAllText(config, Config());

        // The shell only opens the log; exec makes the node the process that is signalled.
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false };
        foreach (string argument in new[] { "-c", "exec \"$0\" serve --config \"$1\" --stop-with-input >>\"$2\" 2>&1", program, config, LogFile }) start.ArgumentList.Add(argument);
        _process?.Dispose();
        _process = Process.Start(start)!;
    }

    public void Send(int signal) => Signals.Send(ProcessId, signal);

    /// <summary>Waits for the end of the process and gives its exit code.</summary>
    public int WaitForEnd()
    {
        if (!_process!.WaitForExit(TimeSpan.FromSeconds(30))) throw new IOException($"Node {id} did not end within 30 s.");
        return _process.ExitCode;
    }

    /// <summary>Polls until the node says that it is ready; false after <paramref name="patience"/>, or when it ended.</summary>
    public bool WaitUntilReady(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < patience && !_process!.HasExited)
        {
            if (TryGet("/healthz/ready", out _)) return true;
            Thread.Sleep(Poll);
        }

        return false;
    }

    /// <summary>Null when the node does not answer.</summary>
    public ClusterView? Cluster()
    {
        if (!TryGet("/v1/cluster", out byte[] body)) return null;
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement shard = document.RootElement.GetProperty("shards")[0];
        JsonElement leader = shard.GetProperty("leader");
        long last = shard.GetProperty("lastIndex").GetInt64();
        bool even = shard.GetProperty("role").GetString() == "leader" && shard.GetProperty("commitIndex").GetInt64() == last
            && shard.GetProperty("members").EnumerateArray().All(member =>
                member.GetProperty("reachable").GetBoolean() && member.GetProperty("matchIndex").GetInt64() == last);
        return new ClusterView(leader.ValueKind == JsonValueKind.Number ? leader.GetInt32() : 0, even);
    }

    /// <summary>Its last entry, how far it has applied, and the state hash there, of shard 0; null when the node does not answer.</summary>
    public (long Last, long Applied, string Hash)? State()
    {
        if (!TryGet("/v1/cluster", out byte[] body)) return null;
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement shard = document.RootElement.GetProperty("shards")[0];
        JsonElement hash = shard.GetProperty("stateHash");
        return (shard.GetProperty("lastIndex").GetInt64(), hash.GetProperty("index").GetInt64(), hash.GetProperty("hash").GetString()!);
    }

    public bool TryGet(string path, out byte[] body)
    {
        body = [];
        try
        {
            using var socket = new HttpSocket(Address, Timeout);
            int status = socket.Get(path, null);
            body = socket.Body.ToArray();
            return status == 200;
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string Config()
    {
        IEnumerable<string> members = Enumerable.Range(1, nodes).Select(member =>
            $$"""{ "Id": {{member}}, "Peer": "127.0.0.1:{{Peer(member)}}", "Http": "http://127.0.0.1:{{port + member - 1}}" }""");
        var text = new StringBuilder();
        text.AppendLine($$"""{ "RaftQueue": { "ClusterId": "processes", {{settings}} "NodeId": {{id}}, "DataDirectory": "{{DataDirectory}}",""");
        text.AppendLine($$"""  "Http": "http://127.0.0.1:{{port + id - 1}}", "Peer": "127.0.0.1:{{Peer(id)}}",""");
        text.AppendLine($$"""  "Members": [ {{string.Join(", ", members)}} ] } }""");
        return text.ToString();
    }

    private int Peer(int member) => port + PeerPortsAbove + member - 1;
}
