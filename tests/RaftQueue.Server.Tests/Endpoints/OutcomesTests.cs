using System.Text.Json.Nodes;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Endpoints;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Endpoints;

/// <summary>What became of commands, said without ever claiming more than is known.</summary>
public sealed class OutcomesTests
{
    private static readonly ShardId First = new(0);
    private static readonly ShardId Second = new(1);

    [Theory]
    [InlineData(NotAppliedReason.NoLeader, "no_leader", 503)]
    [InlineData(NotAppliedReason.Overloaded, "overloaded", 503)]
    [InlineData(NotAppliedReason.DiskFull, "overloaded", 503)]
    [InlineData(NotAppliedReason.Stopping, "overloaded", 503)]
    [InlineData(NotAppliedReason.Removed, "removed", 503)]
    [InlineData(NotAppliedReason.TooLarge, "payload_too_large", 413)]
    public void WhatWasNotAppliedIsDefinite(NotAppliedReason reason, string code, int status)
    {
        Problem problem = Exchange.Undecided(CommandOutcome.NotApplied(First, reason))!;
        Assert.Equal((code, status), (problem.Code.Text(), problem.Code.Status()));
        Assert.Equal(status == 503, problem.RetryAfterMs is > 0);
    }

    [Fact]
    public void WhatIsNotKnownIsNotClaimed()
    {
        Assert.Equal(ProblemCode.OutcomeUnknown, Exchange.Undecided(CommandOutcome.Unknown(First))!.Code);
        Assert.Equal(ProblemCode.OutcomeUnknown, Outcomes.Refused(ResultCode.DuplicateRequest)!.Code);
        Assert.Null(Exchange.Undecided(CommandOutcome.Applied(First, new LogIndex(1), ResultCode.Ok, default)));
    }

    [Fact]
    public void AReadThatIsNotDecidedSaysWhatElseToDo()
    {
        Assert.Equal(ProblemCode.NoLeader, Outcomes.Undecided(ReadOutcome.Undecided(First)).Code);
        Problem behind = Outcomes.Undecided(ReadOutcome.Behind(First));
        Problem without = Outcomes.Undecided(ReadOutcome.WithoutState(First));
        Assert.Equal((ProblemCode.Overloaded, ProblemCode.Overloaded), (behind.Code, without.Code));
        Assert.Contains("consistency=stale", behind.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("consistency=stale", without.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryRefusalHasACode()
    {
        foreach (ResultCode code in Enum.GetValues<ResultCode>())
        {
            Problem? problem = Outcomes.Refused(code);
            Assert.Equal(code is ResultCode.Ok or ResultCode.Empty, problem is null);
        }
    }

    [Fact]
    public void TokensOfShardsWithDifferentOutcomesHaveTheirOwnStatus()
    {
        CommandOutcome ok = Decided(First, ResultCode.Ok, Pack.Array(Pack.Array(Pack.Integer(0)), Pack.Array(Pack.Integer(1))));
        Assert.Equal("ok,not_applied,lease_lost", Statuses(ok, CommandOutcome.NotApplied(Second, NotAppliedReason.NoLeader)));
        Assert.Equal("ok,unknown,lease_lost", Statuses(ok, CommandOutcome.Unknown(Second)));
        Assert.Equal("ok,invalid,lease_lost", Statuses(ok, Decided(Second, ResultCode.IdempotencyConflict, Pack.Nil)));
        Assert.Equal("ok,not_applied,lease_lost", Statuses(ok, Decided(Second, ResultCode.IdempotencyFull, Pack.Nil)));
        Assert.Equal(
            "unknown,not_applied,unknown", Statuses(CommandOutcome.Unknown(First), CommandOutcome.NotApplied(Second, NotAppliedReason.NoLeader)));
    }

    [Fact]
    public void WhatHoldsForEveryTokenHoldsForTheWhole()
    {
        Assert.Equal("503 no_leader", Statuses(
            CommandOutcome.NotApplied(First, NotAppliedReason.NoLeader), CommandOutcome.NotApplied(Second, NotAppliedReason.NoLeader)));
        Assert.Equal("504 outcome_unknown", Statuses(CommandOutcome.Unknown(First), CommandOutcome.Unknown(Second)));
        Assert.Equal("409 idempotency_conflict", Statuses(
            Decided(First, ResultCode.IdempotencyConflict, Pack.Nil), Decided(Second, ResultCode.IdempotencyConflict, Pack.Nil)));
    }

    /// <summary>Three tokens, of the first, the second and the first shard.</summary>
    private static string Statuses(params CommandOutcome[] outcomes)
    {
        using var scratch = new RequestScratch();
        string acks = string.Join(',', new[] { First, Second, First }
            .Select((shard, i) => $"{{\"token\":\"{new LeaseToken(new JobId((ulong)i, shard, 1), 1)}\"}}"));
        scratch.Body.Write(Encoding.UTF8.GetBytes($"{{\"acks\":[{acks}]}}"));
        using var request = new TokensRequest(new RequestLimits(), scratch, TokenVerb.Ack, 2, null);
        Assert.Null(BodyParsing.Run(request, scratch, BodyFormat.Json));
        Assert.Equal([First, Second], request.Commands().Select(command => command.Shard));
        var results = new TokenResults(TokenVerb.Ack, request, outcomes);
        if (results.Whole is { } whole) return $"{whole.Code.Status()} {whole.Code.Text()}";
        using var reply = new ReplyWriter();
        reply.Start(BodyFormat.Json);
        Assert.True(results.TryWrite(reply));
        reply.Finish();
        JsonArray rows = JsonNode.Parse(reply.Written.Span)!["results"]!.AsArray();
        return string.Join(',', rows.Select(row => row!["status"]!.GetValue<string>()));
    }

    private static CommandOutcome Decided(ShardId shard, ResultCode code, byte[] body) => CommandOutcome.Applied(
        shard, new LogIndex(7), code, Pack.Array(Pack.Integer((int)code), Pack.Bool(false), Pack.Integer(7), body));
}
