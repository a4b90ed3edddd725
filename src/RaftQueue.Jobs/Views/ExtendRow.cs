using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>One token of an extend result: <c>[ status, expiresAt, remainingMs, cancelRequested ]</c>; zeros when the lease is lost.</summary>
public readonly record struct ExtendRow(TokenStatus Status, long ExpiresAtMs, long RemainingMs, bool CancelRequested)
{
    internal const int FieldCount = 4;

    public static bool TryRead(scoped ref MessagePackReader reader, out ExtendRow row)
    {
        row = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount || !reader.TryReadInt32(out int status)) return false;
        if (!reader.TryReadInt64(out long expires) || !reader.TryReadInt64(out long remaining)) return false;
        if (!reader.TryReadBool(out bool cancel)) return false;
        row = new ExtendRow((TokenStatus)status, expires, remaining, cancel);
        return reader.TrySkipMany(count - FieldCount);
    }
}
