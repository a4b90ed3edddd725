using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// <c>[ idempotencyWindowMs, maxIdempotencyKeys, maxQueues, keepMs, keepDeadMs, keepFinished, maxAttempts, leaseMs,
/// stateHighWaterPages ]</c>: see <see cref="ReplicatedSettings"/>.
/// </summary>
public static class SettingsCommand
{
    private const int FieldCount = 9;

    public static void Write(in MessagePackWriter writer, ReplicatedSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64(settings.IdempotencyWindowMs);
        writer.WriteInt64(settings.MaxIdempotencyKeys);
        writer.WriteInt64(settings.MaxQueues);
        writer.WriteInt64(settings.DefaultKeepMs);
        writer.WriteInt64(settings.DefaultKeepDeadMs);
        writer.WriteInt64(settings.DefaultKeepFinished);
        writer.WriteInt64(settings.DefaultMaxAttempts);
        writer.WriteInt64(settings.DefaultLeaseMs);
        writer.WriteInt64(settings.StateHighWaterPages);
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out ReplicatedSettings? settings)
    {
        settings = null;
        Span<long> values = stackalloc long[FieldCount];
        var reader = new MessagePackReader(body);
        if (!reader.TryReadArrayHeader(out int fields) || fields < FieldCount) return false;
        for (int i = 0; i < FieldCount; i++)
        {
            if (!reader.TryReadInt64(out values[i]) || !Bounds.IsDuration(values[i])) return false;
        }

        if (values[6] is < 1 or > int.MaxValue || values[7] < 1) return false;
        settings = new ReplicatedSettings
        {
            IdempotencyWindowMs = values[0],
            MaxIdempotencyKeys = values[1],
            MaxQueues = values[2],
            DefaultKeepMs = values[3],
            DefaultKeepDeadMs = values[4],
            DefaultKeepFinished = values[5],
            DefaultMaxAttempts = (int)values[6],
            DefaultLeaseMs = values[7],
            StateHighWaterPages = values[8],
        };
        return true;
    }
}
