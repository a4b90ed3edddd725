using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>
/// A queue: <c>[ name, settings map, paused, counts[7], oldestReadyAtMs|nil, enqueuedTotal, succeededTotal, failedTotal ]</c>.
/// Settings hold what was set; what is absent is at its default. <see cref="FailedTotal"/> counts failed attempts.
/// </summary>
public ref struct QueueView
{
    internal const int FieldCount = 8;

    public ReadOnlySpan<byte> Name;

    /// <summary>An encoded map, see <see cref="QueueSettings"/>.</summary>
    public ReadOnlySpan<byte> Settings;
    public bool Paused;

    /// <summary>Unix ms; null when no job is ready.</summary>
    public long? OldestReadyAtMs;
    public long EnqueuedTotal;
    public long SucceededTotal;
    public long FailedTotal;
    private StateCounts _counts;

    public readonly long CountOf(JobState state) => _counts[(int)state];

    public static bool TryRead(scoped ref MessagePackReader reader, out QueueView view)
    {
        view = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        if (!reader.TryReadString(out view.Name) || reader.NextType != MessagePackType.Map) return false;
        if (!reader.TryReadRaw(out view.Settings) || !reader.TryReadBool(out view.Paused)) return false;
        if (!reader.TryReadArrayHeader(out int states) || states < JobStates.Count) return false;
        for (int i = 0; i < JobStates.Count; i++)
        {
            if (!reader.TryReadInt64(out view._counts[i])) return false;
        }

        return reader.TrySkipMany(states - JobStates.Count)
            && reader.TryReadInt64OrNil(out view.OldestReadyAtMs)
            && reader.TryReadInt64(out view.EnqueuedTotal)
            && reader.TryReadInt64(out view.SucceededTotal)
            && reader.TryReadInt64(out view.FailedTotal)
            && reader.TrySkipMany(count - FieldCount);
    }
}
