using System.Text;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers.Model;

/// <summary>Views as plain values and text.</summary>
public static class Shots
{
    private const int LongestBytes = 256;

    public static JobShot Of(scoped in JobView view)
    {
        var attempts = new List<string>();
        MessagePackReader reader = view.Attempts;
        for (int i = 0; i < view.AttemptCount; i++)
        {
            Require.Readable(AttemptView.TryRead(ref reader, out AttemptView attempt));
            attempts.Add(Attempt(attempt.Attempt, Text(attempt.Worker), attempt.StartedAtMs, attempt.EndedAtMs, attempt.Outcome, Text(attempt.Error)));
        }

        return new JobShot
        {
            Sequence = view.Sequence,
            Queue = Text(view.Queue) ?? "",
            Type = Text(view.Type),
            State = view.State,
            Reason = view.Reason,
            Priority = view.Priority,
            Attempt = view.Attempt,
            MaxAttempts = view.MaxAttempts,
            Runs = view.Runs,
            Version = view.Version,
            CreatedAt = view.CreatedAtMs,
            RunAt = view.RunAtMs,
            StartedAt = view.StartedAtMs,
            FinishedAt = view.FinishedAtMs,
            UniqueKey = Text(view.UniqueKey),
            Tags = Joined(Strings(view.Tags, map: false)),
            Headers = JoinedPairs(Strings(view.Headers, map: true)),
            PayloadKind = view.PayloadKind,
            Payload = view.HasPayload ? PayloadText(view.PayloadKind, view.Payload) : null,
            ContentType = Text(view.ContentType),
            Result = Text(view.Result),
            Progress = Text(view.Progress),
            Error = Text(view.Error),
            CancelRequested = view.CancelRequested,
            Attempts = string.Join(";", attempts),
            Lease = view.HasLease ? $"{Text(view.LeaseWorker)}/{view.LeaseFence}/{view.LeaseExpiresAtMs}" : null,
        };
    }

    public static string Of(scoped in QueueView view)
    {
        var counts = new List<long>();
        for (int state = 0; state < JobStates.Count; state++) counts.Add(view.CountOf((JobState)state));
        return Queue(Encoding.UTF8.GetString(view.Name), counts, view.OldestReadyAtMs, view.EnqueuedTotal, view.SucceededTotal, view.FailedTotal)
            + ModelSettings.Text(ModelMap.Read(view.Settings));
    }

    public static string Queue(string name, IEnumerable<long> counts, long? oldest, long enqueued, long succeeded, long failed) =>
        $"{name} [{string.Join(",", counts)}] oldest {oldest} totals {enqueued}/{succeeded}/{failed}";

    /// <summary>The payload as text; long bytes as their start, their length and their checksum.</summary>
    public static string PayloadText(PayloadKind kind, ReadOnlySpan<byte> payload) =>
        kind == PayloadKind.Bytes && payload.Length > LongestBytes
            ? $"{Encoding.UTF8.GetString(payload[..32])} and so on, {payload.Length} bytes, checksum {Primitives.Crc32C.Compute(payload):x8}"
            : Encoding.UTF8.GetString(payload);

    public static string Attempt(long number, string? worker, long started, long? ended, AttemptOutcome outcome, string? error) =>
        $"{number}:{worker}:{started}-{ended}:{outcome}:{error}";

    public static string? Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);

    /// <summary>The strings of an array, or names and values of a map; null for nothing encoded.</summary>
    public static string[]? Strings(ReadOnlySpan<byte> encoded, bool map)
    {
        if (encoded.IsEmpty) return null;
        var reader = new MessagePackReader(encoded);
        Require.Readable(map ? reader.TryReadMapHeader(out int count) : reader.TryReadArrayHeader(out count));
        string[] parts = new string[map ? 2 * count : count];
        for (int i = 0; i < parts.Length; i++)
        {
            Require.Readable(reader.TryReadString(out ReadOnlySpan<byte> part));
            parts[i] = Encoding.UTF8.GetString(part);
        }

        return parts;
    }

    internal static string? Joined(string[]? texts) => texts is null ? null : string.Join(',', texts);

    /// <summary>A map has no order.</summary>
    internal static string? JoinedPairs(string[]? pairs) =>
        pairs is null ? null : string.Join(',', pairs.Chunk(2).OrderBy(pair => pair[0], StringComparer.Ordinal).Select(pair => string.Join('=', pair)));
}
