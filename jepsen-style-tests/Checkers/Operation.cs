using System.Text.Json;
using System.Text.Json.Serialization;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>One call of a client and what it was told: a line of the history.</summary>
public sealed class Operation
{
    [JsonPropertyName("op")]
    public required int Id { get; init; }

    public int Client { get; init; }

    /// <summary>The node that was asked.</summary>
    public int Node { get; set; }

    [JsonPropertyName("f")]
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required OperationKind Kind { get; init; }

    /// <summary>Which start of that node made the process that was asked, from 1; 0 where nobody counts them.</summary>
    [JsonIgnore]
    public int Life { get; set; }

    /// <summary>Where the call takes effect; of a lease request over several shards, where it did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required ShardId Shard { get; set; }

    public string Queue { get; init; } = "";

    /// <summary>Leases: all queues asked for, in order.</summary>
    public IReadOnlyList<string> Queues { get; init; } = [];

    /// <summary>The idempotency key, and what stands for the body under it.</summary>
    [JsonPropertyName("key")]
    public string? IdempotencyKey { get; init; }

    public string? KeyBody { get; init; }

    /// <summary>Nanoseconds of the harness's monotonic clock, no two alike.</summary>
    [JsonPropertyName("t_inv")]
    public required long InvokedNs { get; init; }

    /// <summary><see cref="long.MaxValue"/> while it has not returned.</summary>
    [JsonPropertyName("t_ret")]
    public long ReturnedNs { get; set; } = long.MaxValue;

    /// <summary>Enqueues: the jobs.</summary>
    public IReadOnlyList<AskedJob> Jobs { get; init; } = [];

    /// <summary>Calls on one job.</summary>
    public JobId? Job { get; init; }

    /// <summary>
    /// A call on several leases: one row for each, which stands in the history as a call of its own, so that it is judged like any other.
    /// The call itself names no job then.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<Operation> Rows { get; init; } = [];

    /// <summary>Calls on a lease.</summary>
    public ulong Fence { get; init; }

    /// <summary>The lease's token as the interface writes it.</summary>
    public string? Token => Fence == 0 || Job is not { } job ? null : new LeaseToken(job, Fence).ToString();

    /// <summary>Nacks, releases, reschedules: how long the job is to be left alone. Extends and leases: how long the lease is to be.</summary>
    public long? DelayMs { get; init; }

    /// <summary>Reschedules: the time at which the job is to run again, Unix ms of the cluster's; instead of a delay.</summary>
    public long? RunAtMs { get; init; }

    /// <summary>An enqueue of one job as a list of one.</summary>
    public bool IsList { get; init; }

    /// <summary>Listings: the name behind which the page begins, and how many it may hold; no limit is 0.</summary>
    public string? After { get; init; }

    public int Limit { get; init; }

    /// <summary>Listings: the call that asked for the first page.</summary>
    public int FirstPage { get; init; }

    /// <summary>Listings: the names on the page.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>Settings of a queue: the age after which its jobs die that say nothing else, when the call sets one; ms.</summary>
    public long? ExpireAfterMs { get; set; }

    public bool Dead { get; init; }

    /// <summary>Reschedules: the new payload, if any.</summary>
    public string? NewPayload { get; init; }

    public long PullAheadMs { get; init; }

    public long WaitMs { get; init; }

    public long? IfVersion { get; init; }

    /// <summary>A read of what one node had applied.</summary>
    public bool Stale { get; init; }

    /// <summary>The worker's name in a lease request: tells whose request a grant was for.</summary>
    public string Worker { get; init; } = "";

    /// <summary>A lease request over several shards: an empty answer is about the last of them only.</summary>
    public bool SpansShards { get; init; }

    [JsonIgnore]
    public OperationEnd End { get; set; } = OperationEnd.Info;

    /// <summary>ok, fail (certainly without effect) or info (open: it may take effect at any time).</summary>
    public string Type
    {
        get => End switch
        {
            OperationEnd.Info => "info",
            OperationEnd.Applied when Code is ResultCode.Ok or ResultCode.Empty => "ok",
            _ => "fail",
        };
        set => End = value switch
        {
            "info" => OperationEnd.Info,
            "ok" => OperationEnd.Applied,
            "fail" => OperationEnd.NotApplied,
            _ => throw new JsonException($"no type: {value}"),
        };
    }

    public ResultCode Code { get; set; }

    /// <summary>Why it was refused without any effect, in one word; null when it was not.</summary>
    [JsonIgnore]
    public string? Refusal { get; set; }

    /// <summary>Where it took effect, or what a read saw; of a replay where the first one did.</summary>
    public LogIndex Index { get; set; }

    /// <summary>The term of the entry at <see cref="Index"/>, where the log is known.</summary>
    public long Term { get; set; }

    public bool Replayed { get; set; }

    /// <summary>What became of the token.</summary>
    public TokenStatus Status { get; set; }

    /// <summary>Extends: when the lease ends now.</summary>
    public long ExpiresAtMs { get; set; }

    public IReadOnlyList<Grant> Grants { get; set; } = [];

    /// <summary>Reads: what was found, null when nothing was.</summary>
    public JobSnapshot? Found { get; set; }

    public JobState? State => Found?.State;

    public long? Version => Found?.Version;

    /// <summary>The whole answer as text that the model writes as well; null when there is none.</summary>
    [JsonIgnore]
    public string? Answer { get; set; }

    /// <summary>Under which number the node that was asked sent it on, where that is known.</summary>
    [JsonIgnore]
    public (Incarnation Origin, ulong Number)? Request { get; set; }

    /// <summary>An open call that the log shows to have taken effect: the rest of the answer is then what the model says.</summary>
    [JsonIgnore]
    public bool FoundInLog { get; set; }

    /// <summary>It took effect as asked, as far as its client or the log tells.</summary>
    [JsonIgnore]
    public bool IsOk => (End == OperationEnd.Applied || FoundInLog) && Code == ResultCode.Ok;

    /// <summary>Nobody can tell whether it took effect.</summary>
    [JsonIgnore]
    public bool IsOpen => End == OperationEnd.Info && !FoundInLog;

    /// <summary>Whether a call of this kind shows the token of a lease.</summary>
    [JsonIgnore]
    public bool IsOnLease => Kind is OperationKind.Ack or OperationKind.Nack or OperationKind.Extend
        or OperationKind.Release or OperationKind.Reschedule;

    /// <summary>It finishes, keeps or hands back work that was given out, or takes it out of the queue.</summary>
    [JsonIgnore]
    public bool IsFinishing => IsOnLease || Kind == OperationKind.Cancel;

    /// <summary>When it was refused calls that finish work took all the room of its node that is theirs, as the harness saw.</summary>
    [JsonIgnore]
    public bool FoundNoRoom { get; set; }

    /// <summary>A call on a token that took effect, or a repeat of one that did.</summary>
    [JsonIgnore]
    public bool TookToken => IsOnLease && IsOk && Status == TokenStatus.Ok;

    /// <summary>The same call made once more, by anybody through any node; what was answered is no part of it.</summary>
    public Operation Again(int id, int client, int node, ShardId shard, long invokedNs, IReadOnlyList<Operation>? rows = null) => new()
    {
        Id = id,
        Client = client,
        Node = node,
        Kind = Kind,
        Shard = shard,
        InvokedNs = invokedNs,
        Queue = Queue,
        Queues = Queues,
        IdempotencyKey = IdempotencyKey,
        KeyBody = KeyBody,
        Jobs = [.. Jobs.Select(job => job.Again())],
        Job = Job,
        Rows = rows ?? [],
        Fence = Fence,
        DelayMs = DelayMs,
        RunAtMs = RunAtMs,
        IsList = IsList,
        ExpireAfterMs = ExpireAfterMs,
        Dead = Dead,
        NewPayload = NewPayload,
        PullAheadMs = PullAheadMs,
        WaitMs = WaitMs,
        IfVersion = IfVersion,
        Worker = Worker,
        SpansShards = SpansShards,
    };

    public override string ToString() =>
        $"#{Id} client {Client} node {Node} {Kind} {Queue} {string.Join(' ', Jobs.Select(job => job.Payload[..Math.Min(24, job.Payload.Length)]).Take(3))} "
        + $"job {Job} fence {Fence}: {End} {Code} {Status} at {Index}{(FoundInLog ? " (from the log)" : "")}";
}
