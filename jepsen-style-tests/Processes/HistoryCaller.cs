using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RaftQueue.Bench;
using RaftQueue.Checkers;
using RaftQueue.Jobs;

namespace RaftQueue.Processes;

/// <summary>
/// Calls nodes over HTTP and notes every call in the history. A call is sent once: no connection is used for a second try. One thread at a time.
/// </summary>
internal sealed class HistoryCaller(int client, SharedHistory history, TimeSpan patience) : IDisposable
{
    /// <summary>Whoever finds nobody comes again after a while.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private readonly Dictionary<int, HttpSocket> _sockets = [];
    private int _leases;

    public Operation Enqueue(ClusterNode node, string queue, AskedJob asked, string? key)
    {
        string unique = asked.UniqueKey is null ? "" : $$""","unique":{"key":"{{asked.UniqueKey}}","until":"{{Lower(asked.Until)}}","onConflict":"{{Lower(asked.OnConflict)}}"}""";
        string delay = asked.DelayMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $",\"delayMs\":{ms}") : "";
        string body = $"{{\"payload\":{asked.Payload}{unique}{delay}}}";
        return Call(node, "POST", $"/v1/queues/{queue}/jobs", body, history.Begin((id, ns) => new Operation
        {
            Id = id,
            Client = client,
            Node = node.Id,
            Kind = OperationKind.Enqueue,
            Shard = default,
            InvokedNs = ns,
            Queue = queue,
            IdempotencyKey = key,
            KeyBody = key is null ? null : body,
            Jobs = [asked],
        }), key);
    }

    public Operation Lease(ClusterNode node, string queue, int maxJobs, long leaseMs, long waitMs)
    {
        // The log says for whom a grant was by the worker's name, which no other request has.
        string worker = string.Create(CultureInfo.InvariantCulture, $"w{client}-{++_leases}");
        string body = string.Create(
            CultureInfo.InvariantCulture, $$"""{"queues":["{{queue}}"],"maxJobs":{{maxJobs}},"leaseMs":{{leaseMs}},"waitMs":{{waitMs}},"worker":"{{worker}}"}""");
        return Call(node, "POST", "/v1/leases", body, history.Begin((id, ns) => new Operation
        {
            Id = id,
            Client = client,
            Node = node.Id,
            Kind = OperationKind.Lease,
            Shard = default,
            InvokedNs = ns,
            Queue = queue,
            Queues = [queue],
            DelayMs = leaseMs,
            WaitMs = waitMs,
            Worker = worker,
        }));
    }

    /// <summary>Ack, nack, release or extend; the delay is a nack's or release's, or how long an extended lease is to be.</summary>
    public Operation OnLease(ClusterNode node, OperationKind kind, Grant grant, long? delayMs)
    {
        string token = new LeaseToken(grant.Job, grant.Fence).ToString();
        string verb = Lower(kind);
        string name = kind == OperationKind.Extend ? "leaseMs" : "delayMs";
        string delay = delayMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $",\"{name}\":{ms}") : "";
        string body = $"{{\"{verb}s\":[{{\"token\":\"{token}\"{delay}}}]}}";
        return Call(node, "POST", $"/v1/leases/{verb}", body, history.Begin((id, ns) => new Operation
        {
            Id = id,
            Client = client,
            Node = node.Id,
            Kind = kind,
            Shard = default,
            InvokedNs = ns,
            Queue = grant.Queue,
            Job = grant.Job,
            Fence = grant.Fence,
            DelayMs = delayMs,
        }));
    }

    public Operation Cancel(ClusterNode node, JobId job) =>
        Call(node, "DELETE", $"/v1/jobs/{job}", "", history.Begin((id, ns) => OfJob(id, ns, OperationKind.Cancel, node, job)));

    public Operation Read(ClusterNode node, JobId job, bool stale)
    {
        string path = $"/v1/jobs/{job}{(stale ? "?consistency=stale" : "")}";
        return Call(node, "GET", path, "", history.Begin((id, ns) => OfJob(id, ns, OperationKind.Read, node, job, stale)));
    }

    /// <summary>Every job as a node has it; what it does not know is left out. Not part of the history.</summary>
    public Dictionary<JobId, JobSnapshot> ReadAll(ClusterNode node, IEnumerable<JobId> jobs)
    {
        var found = new Dictionary<JobId, JobSnapshot>();
        foreach (JobId job in jobs)
        {
            HttpAnswer answer = Exchange(node, HttpSocket.Request(node.Address, "GET", $"/v1/jobs/{job}?consistency=stale", null, []));
            if (answer.Status == 404) continue;
            if (answer.Status != 200) throw new IOException($"Node {node.Id} answers {answer.Status} when job {job} is read.");
            found.Add(job with { Slot = 0 }, HttpHistory.Snapshot(answer.Body));
        }

        return found;
    }

    public void Dispose()
    {
        foreach (HttpSocket socket in _sockets.Values) socket.Dispose();
        _sockets.Clear();
    }

    private Operation OfJob(int id, long ns, OperationKind kind, ClusterNode node, JobId job, bool stale = false) => new()
    {
        Id = id,
        Client = client,
        Node = node.Id,
        Kind = kind,
        Shard = job.Shard,
        InvokedNs = ns,
        Job = job,
        Stale = stale,
    };

    private Operation Call(ClusterNode node, string method, string path, string body, Operation call, string? key = null)
    {
        byte[] request = HttpSocket.Request(node.Address, method, path, null, Encoding.UTF8.GetBytes(body), key);
        HttpHistory.Note(call, Exchange(node, request));
        history.Ended(call);
        return call;
    }

    private HttpAnswer Exchange(ClusterNode node, byte[] request)
    {
        try
        {
            if (!_sockets.TryGetValue(node.Id, out HttpSocket? socket)) _sockets[node.Id] = socket = new HttpSocket(node.Address, patience);
            int status = socket.Exchange(request);
            return HttpAnswer.Read(status, socket.Head, socket.Body);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            if (_sockets.Remove(node.Id, out HttpSocket? broken)) broken.Dispose();
            Thread.Sleep(Pause);
            return HttpAnswer.None;
        }
    }

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
