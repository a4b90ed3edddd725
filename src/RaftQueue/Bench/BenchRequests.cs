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
    private readonly BenchOptions _options;
    private readonly string _payload;
    private readonly byte[] _enqueue;

    public BenchRequests(Uri server, BenchOptions options)
    {
        _server = server;
        _options = options;

        // The payload is a JSON string; its quotes count.
        _payload = $"\"{new string('x', Math.Max(0, options.PayloadBytes - 2))}\""
            + (options.RunAt is { } due ? $",\"runAt\":\"{due.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}\"" : "");
        _enqueue = EnqueueRequest(null);
        Lease = LeaseRequest("\"waitMs\":0");
        LeaseWaiting = LeaseRequest($"\"waitMs\":{LeaseWaitMs}");
        LeaseAhead = LeaseRequest($"\"waitMs\":{LeaseWaitMs},\"pullAheadMs\":{options.PullAheadMs}");
    }

    public byte[] Lease { get; }

    /// <summary>Waits a moment when there is nothing.</summary>
    public byte[] LeaseWaiting { get; }

    /// <summary>Takes what is scheduled next when nothing is due.</summary>
    public byte[] LeaseAhead { get; }

    /// <summary>As many jobs as the batch says, with new delays where they have any.</summary>
    public byte[] Enqueue(Random delays) => _options.DelayOverMs == 0 ? _enqueue : EnqueueRequest(delays);

    /// <summary>Finishes all jobs of a lease reply, or schedules them again; null when there is none.</summary>
    /// <param name="leases">The reply's body. Payloads are this program's own, so that the name of the token's field is in no other place.</param>
    /// <param name="delays">Draws when each runs again; null: they are done.</param>
    /// <param name="jobs">How many.</param>
    public byte[]? Finish(ReadOnlySpan<byte> leases, Random? delays, out int jobs)
    {
        string verb = delays is null ? "ack" : "reschedule";
        var body = new StringBuilder($"{{\"{verb}s\":[");
        jobs = 0;
        int at;
        while ((at = leases.IndexOf(TokenName)) >= 0)
        {
            leases = leases[(at + TokenName.Length)..];
            int end = leases.IndexOf((byte)'"');
            if (end < 0) throw new IOException("A lease reply ends in the middle of a token.");
            body.Append(jobs++ == 0 ? "{\"token\":\"" : ",{\"token\":\"").Append(Encoding.ASCII.GetString(leases[..end])).Append('"');
            AppendDelay(body, delays);
            body.Append('}');
        }

        return jobs == 0 ? null : Post($"/v1/leases/{verb}", body.Append("]}").ToString());
    }

    /// <summary>How many of the jobs took effect.</summary>
    public static int Finished(ReadOnlySpan<byte> reply) => reply.Count("\"status\":\"ok\""u8);

    private byte[] EnqueueRequest(Random? delays)
    {
        var body = new StringBuilder(_options.Batch == 1 ? "" : "{\"jobs\":[");
        for (int i = 0; i < _options.Batch; i++)
        {
            body.Append(i == 0 ? "{\"payload\":" : ",{\"payload\":").Append(_payload);
            AppendDelay(body, delays);
            body.Append('}');
        }

        if (_options.Batch > 1) body.Append("]}");
        return Post($"/v1/queues/{_options.Queue}/jobs", body.ToString());
    }

    private void AppendDelay(StringBuilder body, Random? delays)
    {
        if (delays is not null) body.Append(CultureInfo.InvariantCulture, $",\"delayMs\":{1 + delays.NextInt64(_options.DelayOverMs)}");
    }

    private byte[] LeaseRequest(string howLong) => Post("/v1/leases", string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"queues\":[\"{_options.Queue}\"],\"maxJobs\":{_options.Batch},\"leaseMs\":{LeaseMs},{howLong},\"worker\":\"bench\"}}"));

    private byte[] Post(string path, string body) => HttpSocket.Request(_server, "POST", path, _options.Token, Encoding.ASCII.GetBytes(body));
}
