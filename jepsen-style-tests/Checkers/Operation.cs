using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>One call of a client and what it was told. Order numbers count invocations and returns of the whole run.</summary>
public sealed class Operation
{
    public required int Id { get; init; }

    public required OperationKind Kind { get; init; }

    public required ShardId Shard { get; set; }

    public required long InvokedOrder { get; init; }

    public required long InvokedMicroseconds { get; init; }

    public string Queue { get; init; } = "";

    public string Payload { get; init; } = "";

    /// <summary>Enqueues: null, or the idempotency key.</summary>
    public string? IdempotencyKey { get; init; }

    public string? UniqueKey { get; init; }

    /// <summary>Enqueues, nacks, releases, reschedules: how long the job is to be left alone.</summary>
    public long? DelayMs { get; init; }

    public bool Dead { get; init; }

    /// <summary>Token calls, cancels, reads: the job; enqueues: the job that the answer named.</summary>
    public JobId? Job { get; set; }

    public ulong Fence { get; init; }

    public OperationEnd End { get; set; } = OperationEnd.Info;

    /// <summary>long.MaxValue while it has not returned.</summary>
    public long ReturnedOrder { get; set; } = long.MaxValue;

    public ResultCode Code { get; set; }

    public LogIndex Index { get; set; }

    public bool Created { get; set; }

    public bool Replayed { get; set; }

    public TokenStatus Status { get; set; }

    /// <summary>Extends: when the lease ends now.</summary>
    public long ExpiresAtMs { get; set; }

    public IReadOnlyList<Grant> Grants { get; set; } = [];

    /// <summary>Reads: what was found, null when nothing was.</summary>
    public JobSnapshot? Found { get; set; }

    /// <summary>A lease request over several shards: its answer is about the shard that granted, or about none.</summary>
    public bool SpansShards { get; set; }

    public bool IsOk => End == OperationEnd.Applied && Code == ResultCode.Ok;

    /// <summary>A call on a token that took effect.</summary>
    public bool TookToken => IsOk && Status == TokenStatus.Ok && Kind is OperationKind.Ack or OperationKind.Nack
        or OperationKind.Extend or OperationKind.Release or OperationKind.Reschedule;

    /// <summary>The worker's name in a lease request: tells whose request a grant was for.</summary>
    public string Worker => $"w{Id}";

    public override string ToString() =>
        $"#{Id} {Kind} {Queue} {Payload[..Math.Min(24, Payload.Length)]} job {Job} fence {Fence}: {End} {Code} {Status} at {Index}";
}
