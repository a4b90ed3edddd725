using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

/// <summary>A history made by hand. Every call takes from one ms to another; a call without an index is open.</summary>
internal sealed class Made
{
    private readonly List<Operation> _calls = [];
    private readonly Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> _final = [];

    public IReadOnlyList<Operation> Calls => _calls;

    public static JobId Job(int number) => new((ulong)number, default, 0);

    public Operation Enqueue(
        int job,
        (int From, int To) ms,
        int? index,
        string? payload = null,
        string queue = "q",
        long? delayMs = null,
        string? unique = null,
        UniqueUntil until = UniqueUntil.Finished,
        long windowMs = 0,
        bool created = true,
        RetryPolicy? retry = null,
        string? key = null,
        string? body = null,
        bool replayed = false) => Add(new Operation
        {
            Id = _calls.Count + 1,
            Kind = OperationKind.Enqueue,
            Shard = default,
            InvokedNs = Ns(ms.From),
            ReturnedNs = Ns(ms.To),
            Queue = queue,
            IdempotencyKey = key,
            KeyBody = body,
            Replayed = replayed,
            Jobs =
            [
                new AskedJob
                {
                    Payload = payload ?? $"p{job}",
                    UniqueKey = unique,
                    Until = until,
                    WindowMs = windowMs,
                    DelayMs = delayMs,
                    Retry = retry,
                    Job = index is null ? null : Job(job),
                    Created = index is not null && created,
                },
            ],
        }, index);

    public Operation Lease(
        int job,
        (int From, int To) ms,
        int? index,
        int fence,
        long leaseMs = 100,
        long attempt = 1,
        string? payload = null,
        long pullAheadMs = 0,
        string queue = "q") => Add(new Operation
        {
            Id = _calls.Count + 1,
            Kind = OperationKind.Lease,
            Shard = default,
            InvokedNs = Ns(ms.From),
            ReturnedNs = Ns(ms.To),
            Queue = queue,
            Queues = [queue],
            PullAheadMs = pullAheadMs,
            Worker = $"w{_calls.Count + 1}",
            Grants = index is null
                ? []
                : [new Grant(Job(job), (ulong)fence, queue, payload ?? $"p{job}", 0, attempt, 1 + attempt, ms.To + leaseMs, leaseMs)],
        }, index);

    public Operation OnLease(
        OperationKind kind,
        int job,
        (int From, int To) ms,
        int? index,
        int fence,
        TokenStatus status = TokenStatus.Ok,
        long? delayMs = null,
        string? newPayload = null,
        string? key = null,
        string? body = null,
        bool replayed = false,
        long? expiresAtMs = null,
        long? runAtMs = null) => Add(new Operation
        {
            Id = _calls.Count + 1,
            Kind = kind,
            Shard = default,
            InvokedNs = Ns(ms.From),
            ReturnedNs = Ns(ms.To),
            Queue = "q",
            Job = Job(job),
            Fence = (ulong)fence,
            DelayMs = delayMs,
            NewPayload = newPayload,
            RunAtMs = runAtMs,
            IdempotencyKey = key,
            KeyBody = body,
            Replayed = replayed,
            Status = status,
            ExpiresAtMs = expiresAtMs ?? ms.To + (delayMs ?? 0),
        }, index);

    public Operation Ack(int job, (int From, int To) ms, int? index, int fence, TokenStatus status = TokenStatus.Ok) =>
        OnLease(OperationKind.Ack, job, ms, index, fence, status);

    public Operation Read(
        int job, (int From, int To) ms, int? index, JobState state, long version, int client = 0, bool stale = false) => Add(new Operation
        {
            Id = _calls.Count + 1,
            Client = client,
            Kind = OperationKind.Read,
            Shard = default,
            InvokedNs = Ns(ms.From),
            ReturnedNs = Ns(ms.To),
            Job = Job(job),
            Stale = stale,
            Found = Snapshot(state, version, $"p{job}"),
        }, index);

    public Operation Add(Operation call, int? index)
    {
        if (index is { } at)
        {
            call.End = OperationEnd.Applied;
            call.Index = new LogIndex(at);
        }

        _calls.Add(call);
        return call;
    }

    /// <summary>What a node has at the end.</summary>
    public void Final(int node, params (int Job, JobState State, string Payload)[] jobs) => _final[node] =
        jobs.ToDictionary(job => Job(job.Job), job => Snapshot(job.State, 3, job.Payload));

    public void Forget(int node) => _final.Remove(node);

    /// <param name="stamps">Of entries by their index, ms; null where the log is not known.</param>
    public RunRecord Record(long? healedMs = null, long recoveryMs = 1_000_000, Func<long, long>? stamps = null) => new(new History(_calls))
    {
        Stamps = stamps is null ? null : (_, index) => stamps(index.Value),
        FinalJobs = _final,
        HealedNs = healedMs is { } healed ? Ns((int)healed) : null,
        RecoveryNs = recoveryMs * 1_000_000,
    };

    private static JobSnapshot Snapshot(JobState state, long version, string payload) =>
        new(state, JobReason.None, version, payload, 1, 0, null, []);

    private static long Ns(int ms) => (ms * 1_000_000L) + 1;
}
