using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Jobs;

namespace RaftQueue.Processes.Tests;

/// <summary>A history of calls whose answers are written by hand, as nodes send them. Every call takes one ms, one after the other.</summary>
internal sealed class Told
{
    private readonly List<Operation> _calls = [];
    private readonly Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> _final = [];

    public IReadOnlyList<Operation> Calls => _calls;

    public static JobId Job(int number) => new((ulong)number, default, 7);

    public static HttpAnswer Answer(int status, string? index, string body, bool replayed = false) => HttpAnswer.Read(
        status,
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status} X\r\n{(index is null ? "" : $"RaftQueue-Index: {index}\r\n")}{(replayed ? "Idempotency-Replayed: true\r\n" : "")}"),
        Encoding.UTF8.GetBytes(body));

    public static string Problem(string code) => $$"""{"type":"about:blank","title":"x","status":503,"code":"{{code}}"}""";

    public static string Text(JobId job, string state, int number, int version = 1, string more = "") =>
        $$"""{"id":"{{job}}","queue":"q","state":"{{state}}","attempt":1,"version":{{version}},"runAt":"2026-01-01T00:00:00.000Z","payload":"p{{number}}"{{more}}}""";

    public Operation Enqueue(int number, HttpAnswer answer, string? key = null) => Add(answer, (id, ns) => new Operation
    {
        Id = id,
        Kind = OperationKind.Enqueue,
        Shard = default,
        InvokedNs = ns,
        Queue = "q",
        IdempotencyKey = key,
        KeyBody = key,
        Jobs = [new AskedJob { Payload = $"\"p{number}\"" }],
    });

    public Operation Enqueued(int number, int index, string? key = null, bool replayed = false) =>
        Enqueue(number, Answer(201, $"0:{index}", Text(Job(number), "ready", number), replayed), key);

    public Operation Lease(HttpAnswer answer, long leaseMs = 10_000) => Add(answer, (id, ns) => new Operation
    {
        Id = id,
        Kind = OperationKind.Lease,
        Shard = default,
        InvokedNs = ns,
        Queue = "q",
        Queues = ["q"],
        DelayMs = leaseMs,
        Worker = $"w{id}",
    });

    public Operation Leased(int number, int index, int fence) => Lease(Answer(
        200, $"0:{index}", $$"""{"jobs":[{{Text(Job(number), "leased", number, 2, $$""","lease":{"token":"t","fence":{{fence}},"expiresAt":"2026-01-01T00:00:10.500Z"}""")}}]}"""));

    public Operation OnLease(OperationKind kind, int number, int fence, HttpAnswer answer) => Add(answer, (id, ns) => new Operation
    {
        Id = id,
        Kind = kind,
        Shard = default,
        InvokedNs = ns,
        Job = Job(number),
        Fence = (ulong)fence,
    });

    public Operation Acked(int number, int index, int fence) =>
        OnLease(OperationKind.Ack, number, fence, Answer(200, $"0:{index}", """{"results":[{"token":"t","status":"ok"}]}"""));

    public Operation Read(int number, HttpAnswer answer) => Add(answer, (id, ns) => new Operation
    {
        Id = id,
        Kind = OperationKind.Read,
        Shard = default,
        InvokedNs = ns,
        Job = Job(number),
    });

    /// <summary>What a node has at the end.</summary>
    public void Final(int node, params (int Number, string State)[] jobs) => _final[node] = jobs.ToDictionary(
        job => Job(job.Number) with { Slot = 0 },
        job => HttpHistory.Snapshot(Encoding.UTF8.GetBytes(Text(Job(job.Number), job.State, job.Number, 3))));

    /// <summary>The properties that do not hold, as read back from the history's file.</summary>
    public IReadOnlyList<string> Broken()
    {
        var file = new StringWriter();
        HistoryFile.Write(file, _calls);
        History history = HistoryFile.Read(new StringReader(file.ToString()));
        return [.. JudgedHistory.Judge(history, _final, null, new Dictionary<int, IReadOnlyList<Consensus.LogEntry>>()).Where(judged => judged.Finding is not null).Select(judged => judged.Property)];
    }

    private Operation Add(HttpAnswer answer, Func<int, long, Operation> make)
    {
        long ns = 1 + (_calls.Count * 2_000_000L); // 0 is not written
        Operation call = make(_calls.Count + 1, ns);
        HttpHistory.Note(call, answer);
        call.ReturnedNs = ns + 1_000_000;
        _calls.Add(call);
        return call;
    }
}
