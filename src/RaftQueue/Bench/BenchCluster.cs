using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using RaftQueue.Jobs;

namespace RaftQueue.Bench;

/// <summary>What a run must know about the cluster: who leads the queue's shard, where all nodes are, what a reply promises.</summary>
internal sealed record BenchCluster(Uri? Leader, IReadOnlyList<Uri> Members, string Durability)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Asks the servers in turn; the first that answers is believed.</summary>
    /// <exception cref="IOException">None answers, or none understands.</exception>
    public static BenchCluster Ask(IReadOnlyList<Uri> servers, string? token, string queue)
    {
        string failure = "";
        foreach (Uri server in servers)
        {
            try
            {
                using var socket = new HttpSocket(server, Timeout);
                int status = socket.Get("/v1/cluster", token);
                if (status == 200) return Read(socket.Body, queue);
                failure = string.Create(CultureInfo.InvariantCulture, $"{server} answered {status}: {Encoding.UTF8.GetString(socket.Body)}");
            }
            catch (Exception exception) when (exception is SocketException or IOException or JsonException or KeyNotFoundException)
            {
                failure = $"{server}: {exception.Message}";
            }
        }

        throw new IOException($"No server tells of the cluster. {failure}");
    }

    private static BenchCluster Read(ReadOnlySpan<byte> body, string queue)
    {
        using JsonDocument document = JsonDocument.Parse(body.ToArray());
        JsonElement shards = document.RootElement.GetProperty("shards");
        JsonElement shard = shards[QueueName.ShardOf(Encoding.UTF8.GetBytes(queue), shards.GetArrayLength()).Value];
        JsonElement leader = shard.GetProperty("leader");
        var members = new List<Uri>();
        Uri? leaderAddress = null;
        foreach (JsonElement member in shard.GetProperty("members").EnumerateArray())
        {
            if (!member.TryGetProperty("http", out JsonElement http) || !Uri.TryCreate(http.GetString(), UriKind.Absolute, out Uri? address)) continue;
            members.Add(address);
            if (leader.ValueKind == JsonValueKind.Number && member.GetProperty("id").GetInt32() == leader.GetInt32()) leaderAddress = address;
        }

        string durability = document.RootElement.TryGetProperty("durability", out JsonElement mode) ? mode.GetString()! : "not told";
        return new BenchCluster(leaderAddress, members, durability);
    }
}
