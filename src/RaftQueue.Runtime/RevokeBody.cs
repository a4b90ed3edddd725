using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Runtime;

/// <summary>Turns the result of a lease command into the command that takes the leases back.</summary>
internal static class RevokeBody
{
    /// <summary>Null when the result holds no grant.</summary>
    public static byte[]? FromLeaseResult(ReadOnlySpan<byte> result)
    {
        if (!CommandResultReader.TryRead(result, out CommandResultReader reader)) return null;
        MessagePackReader body = reader.Body;
        if (!body.TryReadArrayHeader(out int count) || count == 0) return null;
        using var buffer = new PooledBuffer(64 * count + 64);
        var writer = new MessagePackWriter(buffer);
        TokenCommand.WriteStart(writer, default, count);
        for (int i = 0; i < count; i++)
        {
            if (!GrantView.TryRead(ref body, out GrantView grant)) return null;
            new RevokeItem { Lease = new LeaseReference(grant.Job.Slot, grant.Job.Sequence, grant.Fence) }.Write(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
