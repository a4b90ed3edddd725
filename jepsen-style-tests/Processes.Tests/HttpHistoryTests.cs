using RaftQueue.Checkers;
using RaftQueue.Jobs;
using static RaftQueue.Processes.Tests.Told;

namespace RaftQueue.Processes.Tests;

/// <summary>Answers over HTTP say in the history what they say to a client, and no more.</summary>
public sealed class HttpHistoryTests
{
    private readonly Told _told = new();

    [Fact]
    public void An_accepted_enqueue_names_its_job_and_its_place_in_the_log()
    {
        Operation call = _told.Enqueued(5, 12);
        Assert.Equal((OperationEnd.Applied, "ok", 12L), (call.End, call.Type, call.Index.Value));
        Assert.Equal((Job(5), true), (call.Jobs[0].Job, call.Jobs[0].Created));
        Operation again = _told.Enqueued(5, 12, replayed: true);
        Assert.True(again.Replayed);
        Operation held = _told.Enqueue(6, Answer(200, "0:13", Text(Job(5), "ready", 5, more: ",\"duplicate\":true,\"replaced\":false")));
        Assert.Equal((Job(5), false, false), (held.Jobs[0].Job, held.Jobs[0].Created, held.Jobs[0].Replaced));
    }

    [Theory]
    [InlineData(503, "no_leader")]
    [InlineData(503, "overloaded")]
    [InlineData(400, "invalid_request")]
    public void A_refusal_without_a_place_in_the_log_never_happened(int status, string code)
    {
        Operation call = _told.Enqueue(1, Answer(status, null, Problem(code)));
        Assert.Equal((OperationEnd.NotApplied, "fail", code), (call.End, call.Type, call.Refusal));
    }

    [Fact]
    public void A_refusal_with_a_place_was_decided_there()
    {
        Operation call = _told.Enqueue(1, Answer(409, "0:9", Problem("unique_conflict")));
        Assert.Equal((OperationEnd.Applied, ResultCode.UniqueConflict, "fail", 9L), (call.End, call.Code, call.Type, call.Index.Value));
        call = _told.Read(1, Answer(404, "0:10", Problem("job_not_found")));
        Assert.Equal((OperationEnd.Applied, ResultCode.JobNotFound), (call.End, call.Code));
    }

    [Fact]
    public void What_leaves_the_outcome_open_is_open()
    {
        foreach (HttpAnswer answer in (HttpAnswer[])
        [
            HttpAnswer.None, Answer(504, null, Problem("outcome_unknown")), Answer(500, null, Problem("internal")), Answer(502, null, "<html>"),
            Answer(503, null, "<html>"), Answer(503, null, """{"message":"a proxy's"}"""), Answer(503, null, "[]"), Answer(504, "0:3", Problem("outcome_unknown")),
        ])
        {
            Operation call = _told.Enqueue(1, answer);
            Assert.Equal((OperationEnd.Info, "info"), (call.End, call.Type));
        }
    }

    [Fact]
    public void A_lease_has_its_grants()
    {
        Operation call = _told.Leased(3, 20, 4);
        Grant grant = Assert.Single(call.Grants);
        Assert.Equal((Job(3), 4UL, "q", "\"p3\"", 10_000L), (grant.Job, grant.Fence, grant.Queue, grant.Payload, grant.LeaseMs));
        Assert.Equal(10_500, grant.ExpiresAtMs - grant.RunAtMs);
        Operation nothing = _told.Lease(Answer(200, "0:21", """{"jobs":[]}"""));
        Assert.Equal((OperationEnd.Applied, ResultCode.Empty, "ok"), (nothing.End, nothing.Code, nothing.Type));
        Assert.Equal(OperationEnd.Info, _told.Lease(Answer(200, null, """{"jobs":[]}""")).End);
    }

    [Theory]
    [InlineData("ok", OperationEnd.Applied, TokenStatus.Ok)]
    [InlineData("lease_lost", OperationEnd.Applied, TokenStatus.LeaseLost)]
    [InlineData("not_applied", OperationEnd.NotApplied, TokenStatus.Ok)]
    [InlineData("unknown", OperationEnd.Info, TokenStatus.Ok)]
    [InlineData("invalid", OperationEnd.NotApplied, TokenStatus.Ok)]
    public void A_token_has_a_status_of_its_own(string status, OperationEnd end, TokenStatus noted)
    {
        Operation call = _told.OnLease(OperationKind.Ack, 1, 2, Answer(200, "0:5", $$"""{"results":[{"token":"t","status":"{{status}}"}]}"""));
        Assert.Equal((end, noted), (call.End, call.Status));
    }

    [Fact]
    public void An_extend_tells_when_the_lease_ends_now()
    {
        Operation call = _told.OnLease(
            OperationKind.Extend, 1, 2, Answer(200, "0:5", """{"results":[{"token":"t","status":"ok","expiresAt":"1970-01-01T00:00:02.345Z","remainingMs":5}]}"""));
        Assert.Equal(2_345, call.ExpiresAtMs);
    }

    [Fact]
    public void A_read_shows_the_job()
    {
        Operation call = _told.Read(3, Answer(200, "0:30", Text(Job(3), "dead", 3, 8, ",\"reason\":\"attempts\",\"finishedAt\":\"2026-01-01T00:00:01Z\"")));
        JobSnapshot found = call.Found!;
        Assert.Equal((JobState.Dead, JobReason.Attempts, 8L, "\"p3\""), (found.State, found.Reason, found.Version, found.Payload));
        Assert.Equal(1_000, found.FinishedAtMs - found.RunAtMs);
    }
}
