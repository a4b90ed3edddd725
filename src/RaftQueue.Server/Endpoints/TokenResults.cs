using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>What became of the tokens of one request in all shards it went to, joined in the order of the request.</summary>
internal sealed class TokenResults
{
    private readonly TokenVerb _verb;
    private readonly TokensRequest _request;
    private readonly Dictionary<ushort, CommandOutcome> _byShard;
    private readonly Dictionary<ushort, ExtendRow[]> _rows = [];

    public TokenResults(TokenVerb verb, TokensRequest request, IReadOnlyList<CommandOutcome> outcomes)
    {
        _verb = verb;
        _request = request;
        _byShard = outcomes.ToDictionary(outcome => outcome.Shard.Value);
        foreach (CommandOutcome outcome in outcomes) Read(outcome);
        Whole = ProblemOfAll(outcomes);
        IsReplay &= Positions.Count > 0;
    }

    /// <summary>Where it was decided, by shard.</summary>
    public List<(ShardId Shard, LogIndex Index)> Positions { get; } = [];

    /// <summary>Every shard that decided gave an earlier outcome.</summary>
    public bool IsReplay { get; private set; } = true;

    /// <summary>What holds for every token; null when the tokens have each their own status.</summary>
    public Problem? Whole { get; }

    /// <summary>Writes <c>{ "results": [ … ] }</c>.</summary>
    public bool TryWrite(ReplyWriter reply)
    {
        reply.BeginObject();
        reply.Name(Words.Results);
        reply.BeginArray();
        foreach (TokenItem item in _request.Items)
        {
            reply.BeginObject();
            reply.Name(Words.Token);
            reply.Value(_request.Texts.WrittenSpan.Slice(item.Start, item.Length));
            WriteStatus(reply, item);
            reply.EndObject();
        }

        reply.EndArray();
        reply.EndObject();
        return true;
    }

    private void Read(CommandOutcome outcome)
    {
        if (outcome.Kind != OutcomeKind.Applied) return;
        bool known = CommandResultReader.TryRead(outcome.Result.Span, out CommandResultReader result);
        Positions.Add((outcome.Shard, known && result.Replayed ? result.Index : outcome.Index));
        IsReplay &= known && result.Replayed;
        if (outcome.Code != ResultCode.Ok) return;
        Invariant.That(known && result.Body.TryReadArrayHeader(out _), "the result of finishing can be read");
        int count = _request.Items.Count(item => item.Row >= 0 && item.Shard == outcome.Shard);
        var rows = new ExtendRow[count];
        for (int i = 0; i < count; i++) rows[i] = ReadRow(ref result.Body);
        _rows[outcome.Shard.Value] = rows;
    }

    private ExtendRow ReadRow(ref MessagePackReader body)
    {
        if (_verb == TokenVerb.Extend)
        {
            Invariant.That(ExtendRow.TryRead(ref body, out ExtendRow extended), "a row of an extend can be read");
            return extended;
        }

        Invariant.That(TokenRow.TryRead(ref body, out TokenRow row), "a row of finishing can be read");
        return new ExtendRow(row.Status, 0, 0, false);
    }

    private Problem? ProblemOfAll(IReadOnlyList<CommandOutcome> outcomes)
    {
        if (outcomes.Count > 0 && outcomes.All(IsConflict)) return Outcomes.Refused(ResultCode.IdempotencyConflict);
        if (outcomes.Count == 0 || _request.Items.Any(item => item.Row < 0)) return null;
        if (outcomes.All(outcome => StatusOf(outcome) == Words.NotApplied))
            return Exchange.Undecided(outcomes[0]) ?? Outcomes.Refused(outcomes[0].Code);
        return outcomes.All(outcome => StatusOf(outcome) == Words.Unknown) ? Outcomes.Unknown : null;
    }

    private static bool IsConflict(CommandOutcome outcome) =>
        outcome is { Kind: OutcomeKind.Applied, Code: ResultCode.IdempotencyConflict };

    /// <summary>The status of every token that went to this shard, when they share one.</summary>
    private static Word? StatusOf(CommandOutcome outcome) => outcome switch
    {
        { Kind: OutcomeKind.NotApplied } => Words.NotApplied,
        { Kind: OutcomeKind.Unknown } or { Code: ResultCode.DuplicateRequest } => Words.Unknown,
        { Code: ResultCode.Ok } => null,
        { Code: ResultCode.InvalidCommand or ResultCode.IdempotencyConflict } => Words.Invalid,
        _ => Words.NotApplied,
    };

    private void WriteStatus(ReplyWriter reply, TokenItem item)
    {
        reply.Name(Words.Status);
        if (item.Refusal is { } refusal)
        {
            WriteInvalid(reply, refusal);
            return;
        }

        if (item.Row < 0)
        {
            reply.Value(Words.LeaseLost);
            return;
        }

        CommandOutcome outcome = _byShard[item.Shard.Value];
        if (StatusOf(outcome) is not { } shared) WriteRow(reply, _rows[item.Shard.Value][item.Row]);
        else if (shared == Words.Invalid) WriteInvalid(reply, Outcomes.Refused(outcome.Code)!);
        else reply.Value(shared);
    }

    private void WriteRow(ReplyWriter reply, ExtendRow row)
    {
        reply.Value(row.Status == TokenStatus.Ok ? Words.Ok : Words.LeaseLost);
        if (_verb != TokenVerb.Extend || row.Status != TokenStatus.Ok) return;
        reply.Name(Words.ExpiresAt);
        reply.Time(row.ExpiresAtMs);
        reply.Name(Words.RemainingMs);
        reply.Value(row.RemainingMs);
        if (!row.CancelRequested) return;
        reply.Name(Words.CancelRequested);
        reply.Value(true);
    }

    private static void WriteInvalid(ReplyWriter reply, Problem problem)
    {
        reply.Value(Words.Invalid);
        reply.Name(Words.Code);
        reply.Value(problem.Code.Text());
        reply.Name(Words.Detail);
        reply.Value(problem.Detail);
    }
}
