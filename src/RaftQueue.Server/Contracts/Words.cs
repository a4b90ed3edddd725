using RaftQueue.Jobs;

namespace RaftQueue.Server.Contracts;

/// <summary>The names of members in replies, and the fixed words among values.</summary>
internal static class Words
{
    public static readonly Word Allocated = new("allocated");
    public static readonly Word AppliedIndex = new("appliedIndex");
    public static readonly Word Attempt = new("attempt");
    public static readonly Word Attempts = new("attempts");
    public static readonly Word Bytes = new("bytes");
    public static readonly Word CancelRequested = new("cancelRequested");
    public static readonly Word Changed = new("changed");
    public static readonly Word Checkpoint = new("checkpoint");
    public static readonly Word ClusterId = new("clusterId");
    public static readonly Word Code = new("code");
    public static readonly Word ColdReads = new("coldReads");
    public static readonly Word CommitIndex = new("commitIndex");
    public static readonly Word ContentType = new("contentType");
    public static readonly Word Counts = new("counts");
    public static readonly Word CreatedAt = new("createdAt");
    public static readonly Word Defaults = new("defaults");
    public static readonly Word Detail = new("detail");
    public static readonly Word Duplicate = new("duplicate");
    public static readonly Word Durability = new("durability");
    public static readonly Word DurationMs = new("durationMs");
    public static readonly Word EndedAt = new("endedAt");
    public static readonly Word EnqueuedTotal = new("enqueuedTotal");
    public static readonly Word Error = new("error");
    public static readonly Word Errors = new("errors");
    public static readonly Word Evictions = new("evictions");
    public static readonly Word EvictionWrites = new("evictionWrites");
    public static readonly Word ExpiresAt = new("expiresAt");
    public static readonly Word FailedTotal = new("failedTotal");
    public static readonly Word Fence = new("fence");
    public static readonly Word FetchedBytes = new("fetchedBytes");
    public static readonly Word FileBytes = new("fileBytes");
    public static readonly Word FinishedAt = new("finishedAt");
    public static readonly Word From = new("from");
    public static readonly Word Hash = new("hash");
    public static readonly Word Headers = new("headers");
    public static readonly Word Http = new("http");
    public static readonly Word Id = new("id");
    public static readonly Word Index = new("index");
    public static readonly Word Jitter = new("jitter");
    public static readonly Word JobId = new("jobId");
    public static readonly Word Jobs = new("jobs");
    public static readonly Word LagMs = new("lagMs");
    public static readonly Word LastIndex = new("lastIndex");
    public static readonly Word Leader = new("leader");
    public static readonly Word Learner = new("learner");
    public static readonly Word Lease = new("lease");
    public static readonly Word LongestEvictionUs = new("longestEvictionUs");
    public static readonly Word LongestPauseUs = new("longestPauseUs");
    public static readonly Word MatchIndex = new("matchIndex");
    public static readonly Word MaxAttempts = new("maxAttempts");
    public static readonly Word Members = new("members");
    public static readonly Word NameName = new("name");
    public static readonly Word Next = new("next");
    public static readonly Word NodeId = new("nodeId");
    public static readonly Word OldestReadyAgeMs = new("oldestReadyAgeMs");
    public static readonly Word Outcome = new("outcome");
    public static readonly Word Pages = new("pages");
    public static readonly Word PagesDone = new("pagesDone");
    public static readonly Word PagesNeeded = new("pagesNeeded");
    public static readonly Word Paused = new("paused");
    public static readonly Word Payload = new("payload");
    public static readonly Word PayloadBase64 = new("payloadBase64");
    public static readonly Word PayloadBytes = new("payloadBytes");
    public static readonly Word Phase = new("phase");
    public static readonly Word Pointer = new("pointer");
    public static readonly Word Priority = new("priority");
    public static readonly Word Progress = new("progress");
    public static readonly Word Queue = new("queue");
    public static readonly Word Queues = new("queues");
    public static readonly Word Reachable = new("reachable");
    public static readonly Word Reason = new("reason");
    public static readonly Word RemainingMs = new("remainingMs");
    public static readonly Word Replaced = new("replaced");
    public static readonly Word Resident = new("resident");
    public static readonly Word Result = new("result");
    public static readonly Word Results = new("results");
    public static readonly Word RetryAfterMs = new("retryAfterMs");
    public static readonly Word Role = new("role");
    public static readonly Word RunAt = new("runAt");
    public static readonly Word Runs = new("runs");
    public static readonly Word Settings = new("settings");
    public static readonly Word Shards = new("shards");
    public static readonly Word StartedAt = new("startedAt");
    public static readonly Word State = new("state");
    public static readonly Word StateHash = new("stateHash");
    public static readonly Word Status = new("status");
    public static readonly Word SucceededTotal = new("succeededTotal");
    public static readonly Word Tags = new("tags");
    public static readonly Word Term = new("term");
    public static readonly Word Title = new("title");
    public static readonly Word Token = new("token");
    public static readonly Word Transfer = new("transfer");
    public static readonly Word TypeName = new("type");
    public static readonly Word UniqueKey = new("uniqueKey");
    public static readonly Word Version = new("version");
    public static readonly Word Voter = new("voter");
    public static readonly Word Worker = new("worker");

    public static readonly Word Ok = new("ok");
    public static readonly Word LeaseLost = new("lease_lost");
    public static readonly Word NotApplied = new("not_applied");
    public static readonly Word Unknown = new("unknown");
    public static readonly Word Invalid = new("invalid");

    private static readonly Word[] States = [.. Enumerable.Range(0, JobStates.Count).Select(i => new Word(((JobState)i).Text()))];
    private static readonly Word[] Outcomes =
        [.. Enumerable.Range(0, (int)AttemptOutcome.Cancelled + 1).Select(i => new Word(((AttemptOutcome)i).Text()))];

    public static Word Of(JobState state) => States[(int)state];

    public static Word Of(AttemptOutcome outcome) => Outcomes[(int)outcome < Outcomes.Length ? (int)outcome : 0];
}
