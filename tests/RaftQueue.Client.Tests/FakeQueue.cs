using System.Text.Json;

namespace RaftQueue.Client.Tests;

/// <summary>A queue in a few lines, enough for a worker: leases jobs, takes acks, nacks, extends and releases.</summary>
internal sealed class FakeQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<string> _ready = new();
    private readonly List<(string Verb, JsonElement Item)> _calls = [];
    private long _fence;

    public FakeQueue(params string[] payloads)
    {
        foreach (string payload in payloads) _ready.Enqueue(payload);
        Servers = new FakeServers(Answer);
    }

    public FakeServers Servers { get; }

    /// <summary>What an extend answers; the tests change it.</summary>
    public string ExtendReply { get; set; } = """{"token":"TOKEN","status":"ok","remainingMs":30000}""";

    /// <summary>The length of the leases.</summary>
    public int RemainingMs { get; init; } = 30_000;

    /// <summary>Called for every request before it is answered; may return another answer.</summary>
    public Func<FakeRequest, HttpResponseMessage?>? Before { get; set; }

    public IReadOnlyList<JsonElement> Calls(string verb)
    {
        lock (_lock) return [.. _calls.Where(call => call.Verb == verb).Select(call => call.Item)];
    }

    private HttpResponseMessage Answer(FakeRequest request)
    {
        if (Before?.Invoke(request) is { } other) return other;
        lock (_lock)
        {
            JsonElement body = JsonDocument.Parse(request.Body).RootElement;
            if (request.Path == "/v1/leases") return Lease(body);
            string verb = request.Path.Split('/')[^1];
            var results = new List<string>();
            foreach (JsonElement item in body.EnumerateObject().Single().Value.EnumerateArray())
            {
                _calls.Add((verb, item));
                string token = item.GetProperty("token").GetString()!;
                results.Add((verb == "extend" ? ExtendReply : """{"token":"TOKEN","status":"ok"}""").Replace("TOKEN", token, StringComparison.Ordinal));
            }

            return FakeServers.Json(200, $$"""{"results":[{{string.Join(",", results)}}]}""");
        }
    }

    private HttpResponseMessage Lease(JsonElement body)
    {
        var jobs = new List<string>();
        for (int i = body.GetProperty("maxJobs").GetInt32(); i > 0 && _ready.TryDequeue(out string? payload); i--)
        {
            _fence++;
            jobs.Add($$$"""
                {"id":"job{{{_fence}}}","queue":"q","state":"leased","priority":0,"attempt":1,"maxAttempts":25,"runs":0,"version":2,
                 "createdAt":"2026-01-01T00:00:00.000Z","payload":{{{payload}}},
                 "lease":{"token":"t{{{_fence}}}","fence":{{{_fence}}},"expiresAt":"2026-01-01T00:00:30.000Z","remainingMs":{{{RemainingMs}}} }}
                """);
        }

        return FakeServers.Json(200, $$"""{"jobs":[{{string.Join(",", jobs)}}]}""");
    }
}
