using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>One row of a lease result: <c>[ job, fence, expiresAt, remainingMs ]</c>.</summary>
public ref struct GrantView
{
    internal const int FieldCount = 4;

    public JobView Job;
    public ulong Fence;
    public long ExpiresAtMs;
    public long RemainingMs;

    public static bool TryRead(scoped ref MessagePackReader reader, out GrantView view)
    {
        view = default;
        return reader.TryReadArrayHeader(out int count)
            && count >= FieldCount
            && JobView.TryRead(ref reader, out view.Job)
            && reader.TryReadUInt64(out view.Fence)
            && reader.TryReadInt64(out view.ExpiresAtMs)
            && reader.TryReadInt64(out view.RemainingMs)
            && reader.TrySkipMany(count - FieldCount);
    }
}
