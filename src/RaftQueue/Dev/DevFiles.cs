using System.Text;
using System.Text.Json;
using RaftQueue.Commands;

namespace RaftQueue.Dev;

/// <summary>
/// The directory of a local cluster: dev.json says what it was made as, nodeN.json is a node's settings file, nodeN its data
/// directory and nodeN.log what it printed. Addresses stay as they were made, because the cluster's log holds the members.
/// </summary>
internal sealed record DevFiles(string Directory, int Nodes, int Port, int PeerPort)
{
    private const int PeerPortsAbove = 1000;

    public string ConfigFile(int node) => Path.Combine(Directory, $"node{node}.json");

    public string LogFile(int node) => Path.Combine(Directory, $"node{node}.log");

    public Uri Http(int node) => new($"http://127.0.0.1:{Port + node - 1}");

    /// <summary>Opens the directory of an earlier run, or makes a new one.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="nodes">How many nodes; null means three, or as before.</param>
    /// <param name="port">The first HTTP port; null means 8001, or as before.</param>
    /// <param name="peerPort">The first port between nodes; null means 1,000 above <paramref name="port"/>, or as before.</param>
    /// <exception cref="UsageException">The directory was made with other numbers.</exception>
    public static DevFiles Open(string directory, int? nodes, int? port, int? peerPort)
    {
        directory = Path.GetFullPath(directory);
        string file = Path.Combine(directory, "dev.json");
        if (File.Exists(file))
        {
            DevFiles before = Read(directory, file);
            Same("--nodes", nodes, before.Nodes, directory);
            Same("--port", port, before.Port, directory);
            Same("--peer-port", peerPort, before.PeerPort, directory);
            return before;
        }

        System.IO.Directory.CreateDirectory(directory);
        var files = new DevFiles(directory, nodes ?? 3, port ?? 8001, peerPort ?? (port ?? 8001) + PeerPortsAbove);
        for (int node = 1; node <= files.Nodes; node++) files.WriteConfig(node);
        files.WriteTo(file, writer =>
        {
            writer.WriteNumber("nodes", files.Nodes);
            writer.WriteNumber("port", files.Port);
            writer.WriteNumber("peerPort", files.PeerPort);
        });
        return files;
    }

    private static DevFiles Read(string directory, string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            return new DevFiles(
                directory, root.GetProperty("nodes").GetInt32(), root.GetProperty("port").GetInt32(), root.GetProperty("peerPort").GetInt32());
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UsageException($"{file} is not what 'raftqueue dev' wrote: {exception.Message}");
        }
    }

    private static void Same(string option, int? asked, int before, string directory)
    {
        if (asked is not null && asked != before)
        {
            throw new UsageException($"{option} is {asked}, but {directory} holds a cluster that was made with {before}; leave it out, or give another --data.");
        }
    }

    private void WriteConfig(int node) => WriteTo(ConfigFile(node), writer =>
    {
        writer.WriteStartObject("RaftQueue");
        writer.WriteString("ClusterId", "dev");
        writer.WriteNumber("NodeId", node);
        writer.WriteString("DataDirectory", Path.Combine(Directory, $"node{node}"));
        writer.WriteString("Http", Http(node).GetLeftPart(UriPartial.Authority));
        writer.WriteString("Peer", $"127.0.0.1:{PeerPort + node - 1}");
        writer.WriteStartArray("Members");
        for (int member = 1; member <= Nodes; member++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("Id", member);
            writer.WriteString("Peer", $"127.0.0.1:{PeerPort + member - 1}");
            writer.WriteString("Http", Http(member).GetLeftPart(UriPartial.Authority));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private void WriteTo(string file, Action<Utf8JsonWriter> content)
    {
        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }

        File.WriteAllText(file, Encoding.UTF8.GetString(memory.ToArray()) + "\n");
    }
}
