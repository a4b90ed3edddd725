using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// Results of the state machine, written as replies. False from any of them: the result cannot be read, which is a bug or a
/// difference in versions; what was written so far is then worthless.
/// </summary>
public static class JobReplies
{
    /// <summary>A whole job, with payload, tags and headers: <c>GET</c> and <c>DELETE /v1/jobs/{id}</c>.</summary>
    public static bool TryWriteJob(ReplyWriter reply, ShardId shard, scoped ref MessagePackReader body)
    {
        if (!JobView.TryRead(ref body, out JobView job)) return false;
        reply.BeginObject();
        bool whole = TryWriteMembers(reply, shard, job, withContent: true) && TryWriteLease(reply, job);
        reply.EndObject();
        return whole;
    }

    /// <summary>The reply to an enqueue of one job; <paramref name="id"/> is the job's.</summary>
    public static bool TryWriteSingle(ReplyWriter reply, ShardId shard, scoped ref MessagePackReader body, out JobId id, out bool created)
    {
        id = default;
        created = false;
        if (!SingleEnqueueView.TryRead(ref body, out SingleEnqueueView view)) return false;
        id = new JobId(view.Job.Sequence, shard, view.Job.Slot);
        created = view.Created;
        reply.BeginObject();
        bool whole = TryWriteMembers(reply, shard, view.Job, withContent: false) && TryWriteLease(reply, view.Job);
        WriteDuplicate(reply, view.Duplicate, view.Replaced);
        reply.EndObject();
        return whole;
    }

    /// <summary>The reply to a batch.</summary>
    public static bool TryWriteBatch(ReplyWriter reply, ShardId shard, scoped ref MessagePackReader body, out bool anyCreated)
    {
        anyCreated = false;
        if (!body.TryReadArrayHeader(out int count)) return false;
        reply.BeginObject();
        reply.Name(Words.Jobs);
        reply.BeginArray();
        for (int i = 0; i < count; i++)
        {
            if (!EnqueueRow.TryRead(ref body, out EnqueueRow row)) return false;
            anyCreated |= row.Created;
            reply.BeginObject();
            WriteId(reply, new JobId(row.Sequence, shard, row.Slot));
            reply.Name(Words.State);
            reply.Value(Words.Of(row.State));
            WriteDuplicate(reply, row.Duplicate, row.Replaced);
            reply.EndObject();
        }

        reply.EndArray();
        reply.EndObject();
        return true;
    }

    /// <summary>The reply to a lease request that was granted something.</summary>
    public static bool TryWriteGrants(ReplyWriter reply, ShardId shard, scoped ref MessagePackReader body)
    {
        if (!body.TryReadArrayHeader(out int count)) return false;
        reply.BeginObject();
        reply.Name(Words.Jobs);
        reply.BeginArray();
        for (int i = 0; i < count; i++)
        {
            if (!GrantView.TryRead(ref body, out GrantView grant)) return false;
            reply.BeginObject();
            if (!TryWriteMembers(reply, shard, grant.Job, withContent: true)) return false;
            WriteGrant(reply, shard, grant);
            reply.EndObject();
        }

        reply.EndArray();
        reply.EndObject();
        return true;
    }

    /// <summary>The reply to a lease request that got nothing.</summary>
    public static void WriteNoGrants(ReplyWriter reply)
    {
        reply.BeginObject();
        reply.Name(Words.Jobs);
        reply.BeginArray();
        reply.EndArray();
        reply.EndObject();
    }

    /// <summary>Writes the member <c>id</c>.</summary>
    public static void WriteId(ReplyWriter reply, in JobId id)
    {
        Span<byte> text = stackalloc byte[JobId.TextLength];
        id.Format(text);
        reply.Name(Words.Id);
        reply.Value(text);
    }

    private static void WriteDuplicate(ReplyWriter reply, bool duplicate, bool? replaced)
    {
        if (!duplicate) return;
        reply.Name(Words.Duplicate);
        reply.Value(true);
        if (replaced is not { } done) return;
        reply.Name(Words.Replaced);
        reply.Value(done);
    }

    private static void WriteGrant(ReplyWriter reply, ShardId shard, scoped in GrantView grant)
    {
        Span<byte> token = stackalloc byte[LeaseToken.MaxTextLength];
        int length = new LeaseToken(new JobId(grant.Job.Sequence, shard, grant.Job.Slot), grant.Fence).Format(token);
        reply.Name(Words.Lease);
        reply.BeginObject();
        reply.Name(Words.Token);
        reply.Value(token[..length]);
        reply.Name(Words.Fence);
        reply.Value(grant.Fence);
        reply.Name(Words.ExpiresAt);
        reply.Time(grant.ExpiresAtMs);
        reply.Name(Words.RemainingMs);
        reply.Value(grant.RemainingMs);
        reply.EndObject();
    }

    private static bool TryWriteLease(ReplyWriter reply, scoped in JobView job)
    {
        if (!job.HasLease) return true;
        reply.Name(Words.Lease);
        reply.BeginObject();
        Text(reply, Words.Worker, job.LeaseWorker);
        reply.Name(Words.Fence);
        reply.Value(job.LeaseFence);
        reply.Name(Words.ExpiresAt);
        reply.Time(job.LeaseExpiresAtMs);
        reply.EndObject();
        return true;
    }

    /// <summary>All members but <c>lease</c>.</summary>
    private static bool TryWriteMembers(ReplyWriter reply, ShardId shard, scoped in JobView job, bool withContent)
    {
        WriteId(reply, new JobId(job.Sequence, shard, job.Slot));
        Text(reply, Words.Queue, job.Queue);
        Text(reply, Words.TypeName, job.Type);
        reply.Name(Words.State);
        reply.Value(Words.Of(job.State));
        if (job.Reason != JobReason.None)
        {
            reply.Name(Words.Reason);
            reply.Value(job.Reason.Text());
        }

        Number(reply, Words.Priority, job.Priority);
        Number(reply, Words.Attempt, job.Attempt);
        Number(reply, Words.MaxAttempts, job.MaxAttempts);
        Number(reply, Words.Runs, job.Runs);
        Number(reply, Words.Version, job.Version);
        Time(reply, Words.CreatedAt, job.CreatedAtMs);
        Time(reply, Words.RunAt, job.RunAtMs);
        if (job.StartedAtMs is { } started) Time(reply, Words.StartedAt, started);
        if (job.FinishedAtMs is { } finished) Time(reply, Words.FinishedAt, finished);
        Text(reply, Words.UniqueKey, job.UniqueKey);
        if (withContent && !(TryWriteTags(reply, job.Tags) && TryWriteHeaders(reply, job.Headers))) return false;
        if (withContent) WritePayload(reply, job);
        Json(reply, Words.Result, job.Result);
        Json(reply, Words.Progress, job.Progress);
        Text(reply, Words.Error, job.Error);
        if (job.CancelRequested)
        {
            reply.Name(Words.CancelRequested);
            reply.Value(true);
        }

        return TryWriteAttempts(reply, job);
    }

    private static void WritePayload(ReplyWriter reply, scoped in JobView job)
    {
        if (job.PayloadKind != PayloadKind.Bytes)
        {
            reply.Name(Words.Payload);
            reply.JsonText(job.HasPayload ? job.Payload : "null"u8);
            return;
        }

        reply.Name(reply.Format == BodyFormat.Json ? Words.PayloadBase64 : Words.PayloadBytes);
        reply.Bytes(job.Payload);
        Text(reply, Words.ContentType, job.ContentType);
    }

    private static bool TryWriteTags(ReplyWriter reply, ReadOnlySpan<byte> encoded)
    {
        reply.Name(Words.Tags);
        reply.BeginArray();
        var reader = new MessagePackReader(encoded);
        int count = 0;
        if (!encoded.IsEmpty && !reader.TryReadArrayHeader(out count)) return false;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> tag)) return false;
            reply.Value(tag);
        }

        reply.EndArray();
        return true;
    }

    private static bool TryWriteHeaders(ReplyWriter reply, ReadOnlySpan<byte> encoded)
    {
        reply.Name(Words.Headers);
        reply.BeginObject();
        var reader = new MessagePackReader(encoded);
        int count = 0;
        if (!encoded.IsEmpty && !reader.TryReadMapHeader(out count)) return false;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> name) || !reader.TryReadString(out ReadOnlySpan<byte> value)) return false;
            reply.Name(name);
            reply.Value(value);
        }

        reply.EndObject();
        return true;
    }

    private static bool TryWriteAttempts(ReplyWriter reply, scoped in JobView job)
    {
        reply.Name(Words.Attempts);
        reply.BeginArray();
        MessagePackReader attempts = job.Attempts;
        for (int i = 0; i < job.AttemptCount; i++)
        {
            if (!AttemptView.TryRead(ref attempts, out AttemptView attempt)) return false;
            WriteAttempt(reply, attempt);
        }

        reply.EndArray();
        return true;
    }

    private static void WriteAttempt(ReplyWriter reply, scoped in AttemptView attempt)
    {
        reply.BeginObject();
        Number(reply, Words.Attempt, attempt.Attempt);
        Text(reply, Words.Worker, attempt.Worker);
        Time(reply, Words.StartedAt, attempt.StartedAtMs);
        if (attempt.EndedAtMs is { } ended) Time(reply, Words.EndedAt, ended);
        reply.Name(Words.Outcome);
        reply.Value(Words.Of(attempt.Outcome));
        Text(reply, Words.Error, attempt.Error);
        reply.EndObject();
    }

    private static void Text(ReplyWriter reply, Word name, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return;
        reply.Name(name);
        reply.Value(text);
    }

    private static void Json(ReplyWriter reply, Word name, ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return;
        reply.Name(name);
        reply.JsonText(json);
    }

    private static void Number(ReplyWriter reply, Word name, long number)
    {
        reply.Name(name);
        reply.Value(number);
    }

    private static void Time(ReplyWriter reply, Word name, long unixMs)
    {
        reply.Name(name);
        reply.Time(unixMs);
    }
}
