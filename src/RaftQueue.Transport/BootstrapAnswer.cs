using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What a node says about its first start (DESIGN 3, bootstrap): only when all configured members answer blank, with the same
/// ClusterId, Shards and members, may a node vote without a log.
/// </summary>
public sealed record BootstrapAnswer
{
    private const int FieldCount = 5;

    public required Incarnation Incarnation { get; init; }

    public required string ClusterId { get; init; }

    /// <summary>1 to 65,536.</summary>
    public required int Shards { get; init; }

    /// <summary>What <see cref="DigestOf"/> makes of the configured members; equal when they are.</summary>
    public required ulong MembersDigest { get; init; }

    /// <summary>For each shard whether nothing was ever stored; <see cref="Shards"/> long.</summary>
    public required IReadOnlyList<bool> BlankShards { get; init; }

    /// <summary>Nothing was ever stored in any shard.</summary>
    public bool IsBlank => BlankShards.All(blank => blank);

    /// <summary>A digest of ids and addresses that does not depend on their order.</summary>
    public static ulong DigestOf(IEnumerable<PeerAddress> members)
    {
        string text = string.Join('\n', members.OrderBy(member => member.Id).Select(member => $"{member.Id}={member.Address}"));
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    public void Encode(PooledBuffer output)
    {
        Invariant.That(BlankShards.Count == Shards, "an answer speaks for every shard");
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteUInt64(Incarnation.Value);
        writer.WriteString(ClusterId);
        writer.WriteInt64(Shards);
        writer.WriteUInt64(MembersDigest);
        writer.WriteBinary(BlankShards.Select(blank => blank ? (byte)1 : (byte)0).ToArray());
    }

    /// <summary>False for anything but an answer within its bounds.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out BootstrapAnswer? answer)
    {
        answer = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadUInt64(out ulong incarnation)
            & WireText.TryRead(ref reader, Handshake.MaxTextBytes, out string clusterId)
            & reader.TryReadInt32(out int shards)
            & reader.TryReadUInt64(out ulong digest)
            & reader.TryReadBinary(out ReadOnlySpan<byte> blank);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        if (!read || !reader.IsAtEnd || shards is < 1 or > 65_536 || blank.Length != shards) return false;
        if (blank.ContainsAnyExceptInRange((byte)0, (byte)1)) return false;
        answer = new BootstrapAnswer
        {
            Incarnation = new Incarnation(incarnation),
            ClusterId = clusterId,
            Shards = shards,
            MembersDigest = digest,
            BlankShards = Array.ConvertAll(blank.ToArray(), value => value == 1),
        };
        return true;
    }
}
