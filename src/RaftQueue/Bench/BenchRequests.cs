using System.Globalization;
using System.Text;

namespace RaftQueue.Bench;

/// <summary>The requests of a run to one server, made once. Safe from any thread.</summary>
internal sealed class BenchRequests
{
    private const int LeaseMs = 120_000;
    private const int LeaseWaitMs = 200;

    private static ReadOnlySpan<byte> TokenName => "\"token\":\""u8;

    private readonly Uri _server;
    private readonly string? _token;

    public BenchRequests(Uri server, BenchOptions options)
    {
        _server = server;
        _token = options.Token;
        string path = $"/v1/queues/{options.Queue}/jobs";

        // The payload is a JSON string; its quotes count.
        string job = $"{{\"payload\":\"{new string('x', Math.Max(0, options.PayloadBytes - 2))}\"}}";
        string body = options.Batch == 1 ? job : $"{{\"jobs\":[{string.Join(',', Enumerable.Repeat(job, options.Batch))}]}}";
        Enqueue = HttpSocket.Request(server, "POST", path, _token, Encoding.ASCII.GetBytes(body));
        Lease = HttpSocket.Request(server, "POST", "/v1/leases", _token, LeaseBody(options, 0));
        LeaseWaiting = HttpSocket.Request(server, "POST", "/v1/leases", _token, LeaseBody(options, LeaseWaitMs));
    }

    /// <summary>As many jobs as the batch says.</summary>
    public byte[] Enqueue { get; }

    public byte[] Lease { get; }

    /// <summary>Waits a moment when there is nothing.</summary>
    public byte[] LeaseWaiting { get; }

    /// <summary>The acknowledgement of all jobs in a lease reply; null when there is none.</summary>
    /// <param name="leases">The reply's body. Payloads are this program's own, so that the name of the token's field is in no other place.</param>
    /// <param name="jobs">How many.</param>
    public byte[]? Ack(ReadOnlySpan<byte> leases, out int jobs)
    {
        var body = new StringBuilder("{\"acks\":[");
        jobs = 0;
        int at;
        while ((at = leases.IndexOf(TokenName)) >= 0)
        {
            leases = leases[(at + TokenName.Length)..];
            int end = leases.IndexOf((byte)'"');
            if (end < 0) throw new IOException("A lease reply ends in the middle of a token.");
            body.Append(jobs++ == 0 ? "{\"token\":\"" : ",{\"token\":\"").Append(Encoding.ASCII.GetString(leases[..end])).Append("\"}");
        }

        if (jobs == 0) return null;
        return HttpSocket.Request(_server, "POST", "/v1/leases/ack", _token, Encoding.ASCII.GetBytes(body.Append("]}").ToString()));
    }

    /// <summary>How many of the acknowledged jobs are done.</summary>
    public static int Acked(ReadOnlySpan<byte> reply) => reply.Count("\"status\":\"ok\""u8);

    private static byte[] LeaseBody(BenchOptions options, int waitMs) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"queues\":[\"{options.Queue}\"],\"maxJobs\":{options.Batch},\"leaseMs\":{LeaseMs},\"waitMs\":{waitMs},\"worker\":\"bench\"}}"));
}
