using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>One attempt in a <see cref="JobView"/>: <c>[ attempt, worker|nil, startedAt, endedAt|nil, outcome, error|nil ]</c>.</summary>
public ref struct AttemptView
{
    internal const int FieldCount = 6;

    public long Attempt;
    public ReadOnlySpan<byte> Worker;
    public long StartedAtMs;

    /// <summary>Null: it runs.</summary>
    public long? EndedAtMs;
    public AttemptOutcome Outcome;
    public ReadOnlySpan<byte> Error;

    public static bool TryRead(scoped ref MessagePackReader reader, out AttemptView view)
    {
        view = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        if (!reader.TryReadInt64(out view.Attempt) || !reader.TryReadStringOrNil(out view.Worker, out _)) return false;
        if (!reader.TryReadInt64(out view.StartedAtMs) || !reader.TryReadInt64OrNil(out view.EndedAtMs)) return false;
        if (!reader.TryReadInt32(out int outcome)) return false;
        view.Outcome = (AttemptOutcome)outcome;
        return reader.TryReadStringOrNil(out view.Error, out _) && reader.TrySkipMany(count - FieldCount);
    }
}
