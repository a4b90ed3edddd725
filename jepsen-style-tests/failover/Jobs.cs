using System.Globalization;
using System.Text;
using System.Text.Json;
using RaftQueue.Bench;
using RaftQueue.Processes;

namespace RaftQueue.Failover;

/// <summary>Puts many jobs in, and takes them out to see which are there.</summary>
internal static class Jobs
{
    private const int Batch = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>Enqueues jobs of 100 bytes.</summary>
    public static void Fill(ClusterNode node, string queue, int jobs)
    {
        string job = $"{{\"payload\":\"{new string('x', 98)}\"}}";
        byte[] body = Encoding.ASCII.GetBytes($"{{\"jobs\":[{string.Join(',', Enumerable.Repeat(job, Batch))}]}}");
        byte[] request = HttpSocket.Request(node.Address, "POST", $"/v1/queues/{queue}/jobs", null, body);
        using var socket = new HttpSocket(node.Address, Timeout);
        for (int done = 0; done < jobs; done += Batch)
        {
            int status = socket.Exchange(request);
            if (status != 201) throw new IOException($"An enqueue was answered with {status}: {Encoding.UTF8.GetString(socket.Body)}");
        }
    }

    /// <summary>How many jobs of a queue are ready.</summary>
    public static long CountReady(ClusterNode node, string queue) => Count(node, queue, "ready");

    /// <summary>How many jobs of a queue wait or are leased.</summary>
    public static long CountUnfinished(ClusterNode node, string queue) => Count(node, queue, "ready", "scheduled", "leased");

    /// <summary>Leases everything that a queue holds, for so long that nothing comes twice; gives the ids in the order of delivery.</summary>
    public static List<string> TakeAll(ClusterNode node, string queue)
    {
        byte[] body = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $$"""{"queues":["{{queue}}"],"maxJobs":{{Batch}},"leaseMs":3600000}"""));
        byte[] request = HttpSocket.Request(node.Address, "POST", "/v1/leases", null, body);
        using var socket = new HttpSocket(node.Address, Timeout);
        var ids = new List<string>();
        while (true)
        {
            int status = socket.Exchange(request);
            if (status != 200) throw new IOException($"A lease request was answered with {status}: {Encoding.UTF8.GetString(socket.Body)}");
            using JsonDocument document = JsonDocument.Parse(socket.Body.ToArray());
            JsonElement jobs = document.RootElement.GetProperty("jobs");
            if (jobs.GetArrayLength() == 0) return ids;
            ids.AddRange(jobs.EnumerateArray().Select(job => job.GetProperty("id").GetString()!));
        }
    }

    private static long Count(ClusterNode node, string queue, params string[] states)
    {
        if (!node.TryGet($"/v1/queues/{queue}", out byte[] body)) throw new IOException($"Queue {queue} cannot be read.");
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement counts = document.RootElement.GetProperty("counts");
        return states.Sum(state => counts.GetProperty(state).GetInt64());
    }
}
