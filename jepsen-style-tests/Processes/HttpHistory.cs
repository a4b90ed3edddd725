using System.Globalization;
using System.Text;
using System.Text.Json;
using RaftQueue.Checkers;
using RaftQueue.Jobs;

namespace RaftQueue.Processes;

/// <summary>
/// What answers over HTTP say, noted in the history's calls. Without an answer, or with one that leaves it open (500, 504, one without a
/// code), a call stays open; what was refused with a code and no place in the log had no effect.
/// </summary>
internal static class HttpHistory
{
    private const int Unavailable = 503;

    public static void Note(Operation call, HttpAnswer answer)
    {
        if (answer.Status == 0 || answer.Status is >= 500 and not Unavailable || Parse(answer.Body) is not { } document) return;
        using (document)
        {
            JsonElement root = document.RootElement;
            if (answer.Place is { } place) (call.Shard, call.Index) = place;
            if (answer.Status is 200 or 201) NoteDone(call, answer, root);
            else NoteRefusal(call, answer, root);
        }
    }

    /// <summary>A job as the interface writes it.</summary>
    public static JobSnapshot Snapshot(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        return Snapshot(document.RootElement);
    }

    private static void NoteDone(Operation call, HttpAnswer answer, JsonElement root)
    {
        // Told when a node stops, or to nobody: the log does not say so.
        bool nothing = call.Kind == OperationKind.Lease && root.GetProperty("jobs").GetArrayLength() == 0;
        if (nothing && answer.Place is null) return;
        call.End = OperationEnd.Applied;
        call.Code = nothing ? ResultCode.Empty : ResultCode.Ok;
        call.Replayed = answer.Replayed;
        switch (call.Kind)
        {
            case OperationKind.Enqueue:
                NoteJobs(call, root);
                break;
            case OperationKind.Lease:
                call.Grants = [.. root.GetProperty("jobs").EnumerateArray().Select(job => GrantOf(job, call.DelayMs ?? 0))];
                break;
            case OperationKind.Read:
                call.Found = Snapshot(root);
                break;
            case var _ when call.IsOnLease:
                NoteToken(call, root.GetProperty("results")[0]);
                break;
            default:
                break;
        }
    }

    /// <summary>Decided by the log when it has a place there, else certainly never applied; open without a code.</summary>
    private static void NoteRefusal(Operation call, HttpAnswer answer, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("code", out JsonElement code)) return;
        call.Refusal = code.GetString();
        call.End = answer.Place is null ? OperationEnd.NotApplied : OperationEnd.Applied;
        call.Code = call.Refusal switch
        {
            "unique_conflict" => ResultCode.UniqueConflict,
            "idempotency_conflict" => ResultCode.IdempotencyConflict,
            "job_not_found" => ResultCode.JobNotFound,
            "queue_not_found" => ResultCode.QueueNotFound,
            "wrong_state" => ResultCode.WrongState,
            "version_mismatch" => ResultCode.VersionMismatch,
            "queue_full" => ResultCode.QueueFull,
            "too_many_queues" => ResultCode.TooManyQueues,
            "overloaded" => ResultCode.StateFull,
            _ => ResultCode.InvalidCommand,
        };
    }

    private static void NoteJobs(Operation call, JsonElement root)
    {
        if (call.Jobs.Count == 1)
        {
            NoteJob(call.Jobs[0], root);
            return;
        }

        int place = 0;
        foreach (JsonElement job in root.GetProperty("jobs").EnumerateArray()) NoteJob(call.Jobs[place++], job);
    }

    private static void NoteJob(AskedJob asked, JsonElement job)
    {
        asked.Job = IdOf(job);
        asked.Created = !job.TryGetProperty("duplicate", out _);
        if (job.TryGetProperty("replaced", out JsonElement replaced)) asked.Replaced = replaced.GetBoolean();
    }

    private static void NoteToken(Operation call, JsonElement row)
    {
        switch (row.GetProperty("status").GetString())
        {
            case "ok":
                call.Status = TokenStatus.Ok;
                if (call.Kind == OperationKind.Extend) call.ExpiresAtMs = TimeOf(row, "expiresAt");
                break;
            case "lease_lost":
                call.Status = TokenStatus.LeaseLost;
                break;
            case "unknown":
                call.End = OperationEnd.Info;
                break;
            default:
                call.End = OperationEnd.NotApplied;
                break;
        }
    }

    private static Grant GrantOf(JsonElement job, long leaseMs)
    {
        JsonElement lease = job.GetProperty("lease");
        return new Grant(
            IdOf(job),
            lease.GetProperty("fence").GetUInt64(),
            job.GetProperty("queue").GetString()!,
            PayloadOf(job),
            TimeOf(job, "runAt"),
            job.GetProperty("attempt").GetInt64(),
            job.GetProperty("version").GetInt64(),
            TimeOf(lease, "expiresAt"),
            leaseMs);
    }

    private static JobSnapshot Snapshot(JsonElement job) => new(
        Enum.Parse<JobState>(job.GetProperty("state").GetString()!, ignoreCase: true),
        job.TryGetProperty("reason", out JsonElement reason) ? Enum.Parse<JobReason>(reason.GetString()!, ignoreCase: true) : JobReason.None,
        job.GetProperty("version").GetInt64(),
        PayloadOf(job),
        job.GetProperty("attempt").GetInt64(),
        TimeOf(job, "runAt"),
        job.TryGetProperty("finishedAt", out _) ? TimeOf(job, "finishedAt") : null,
        []);

    private static string PayloadOf(JsonElement job) => job.GetProperty("payload").GetRawText();

    private static JobId IdOf(JsonElement job) =>
        JobId.TryParse(Encoding.ASCII.GetBytes(job.GetProperty("id").GetString()!), out JobId id)
            ? id
            : throw new FormatException($"no job: {job.GetProperty("id")}");

    /// <summary>Unix ms.</summary>
    private static long TimeOf(JsonElement of, string name) =>
        DateTimeOffset.Parse(of.GetProperty(name).GetString()!, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();

    private static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null; // a proxy's page: it leaves the call open
        }
    }
}
