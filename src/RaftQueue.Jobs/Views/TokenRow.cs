using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>One token of an ack, nack, release or reschedule result: <c>[ status ]</c>.</summary>
public readonly record struct TokenRow(TokenStatus Status)
{
    internal const int FieldCount = 1;

    public static bool TryRead(scoped ref MessagePackReader reader, out TokenRow row)
    {
        row = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount || !reader.TryReadInt32(out int status)) return false;
        row = new TokenRow((TokenStatus)status);
        return reader.TrySkipMany(count - FieldCount);
    }
}
