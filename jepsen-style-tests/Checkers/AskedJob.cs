using System.Text.Json.Serialization;
using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>One job of an enqueue: what was asked for, and what the answer said of it.</summary>
public sealed class AskedJob
{
    /// <summary>The payload as <see cref="Model.Shots.PayloadText"/> shows it; no two requests of a run have the same, but for those without one: empty.</summary>
    public string Payload { get; init; } = "";

    public string? UniqueKey { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public UniqueUntil Until { get; init; } = UniqueUntil.Finished;

    public long WindowMs { get; init; }

    public ConflictChoice OnConflict { get; init; }

    public long? DelayMs { get; init; }

    /// <summary>Unix ms of the cluster's time.</summary>
    public long? RunAtMs { get; init; }

    public long? ExpireAfterMs { get; init; }

    /// <summary>Null where the queue's default, or else the built-in one, counts.</summary>
    public RetryPolicy? Retry { get; init; }

    /// <summary>The same asked for once more; what was answered is no part of it.</summary>
    public AskedJob Again() => new()
    {
        Payload = Payload,
        UniqueKey = UniqueKey,
        Until = Until,
        WindowMs = WindowMs,
        OnConflict = OnConflict,
        DelayMs = DelayMs,
        RunAtMs = RunAtMs,
        ExpireAfterMs = ExpireAfterMs,
        Retry = Retry,
    };

    /// <summary>The job that the answer named: the new one, or the holder of the key.</summary>
    public JobId? Job { get; set; }

    public bool Created { get; set; }

    public bool? Replaced { get; set; }
}
