using System.CommandLine;
using RaftQueue.Client;

namespace RaftQueue.Commands;

/// <summary>The options of every command that speaks to a cluster, and the client that they describe.</summary>
internal sealed class ClientSettings
{
    private const string DefaultServers = "http://127.0.0.1:8001,http://127.0.0.1:8002,http://127.0.0.1:8003";

    private readonly Option<string?> _server = new("--server")
    {
        Description = $"The nodes' addresses, separated by commas. Also RAFTQUEUE_SERVER. Default: those of 'raftqueue dev', {DefaultServers}.",
        HelpName = "URL[,URL…]",
    };

    private readonly Option<string?> _token = new("--token")
    {
        Description = "A bearer token, where the cluster asks for one. Also RAFTQUEUE_TOKEN.",
        HelpName = "TOKEN",
    };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a line." };

    public void AddTo(Command command)
    {
        command.Add(_server);
        command.Add(_token);
        command.Add(_json);
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <exception cref="UsageException">An address is not one.</exception>
    public RaftQueueClient Connect(ParseResult parsed) =>
        new(new RaftQueueClientOptions { Servers = Servers(parsed), Token = Token(parsed) });

    /// <summary>The addresses, at least one.</summary>
    /// <exception cref="UsageException">An address is not one.</exception>
    public List<Uri> Servers(ParseResult parsed) =>
        Parse(parsed.GetValue(_server) ?? FromEnvironment("RAFTQUEUE_SERVER") ?? DefaultServers);

    public string? Token(ParseResult parsed) => parsed.GetValue(_token) ?? FromEnvironment("RAFTQUEUE_TOKEN");

    private static List<Uri> Parse(string text)
    {
        var servers = new List<Uri>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(part, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new UsageException($"--server is \"{part}\"; it may be addresses like http://127.0.0.1:8001, separated by commas.");
            }

            servers.Add(uri);
        }

        return servers.Count > 0 ? servers : throw new UsageException("--server names no address.");
    }

    private static string? FromEnvironment(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
