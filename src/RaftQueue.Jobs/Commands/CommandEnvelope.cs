using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// What the body of every client command starts with: nil, or the idempotency key as two hashes of 16 bytes, of caller,
/// path and key, and of the request's body.
/// </summary>
public ref struct CommandEnvelope
{
    public const int HashBytes = 16;

    /// <summary>Empty: the request has no key.</summary>
    public ReadOnlySpan<byte> ScopedKey;
    public ReadOnlySpan<byte> BodyHash;

    public readonly bool HasKey => !ScopedKey.IsEmpty;

    public readonly void Write(in MessagePackWriter writer)
    {
        if (!HasKey)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(2);
        writer.WriteBinary(ScopedKey);
        writer.WriteBinary(BodyHash);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out CommandEnvelope envelope)
    {
        envelope = default;
        if (reader.TryReadNil()) return true;
        if (!reader.TryReadArrayHeader(out int count) || count < 2) return false;
        if (!reader.TryReadBinary(out envelope.ScopedKey) || envelope.ScopedKey.Length != HashBytes) return false;
        if (!reader.TryReadBinary(out envelope.BodyHash) || envelope.BodyHash.Length != HashBytes) return false;
        return reader.TrySkipMany(count - 2);
    }
}
