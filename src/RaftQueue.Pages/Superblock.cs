using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// The first two slots of a checkpoint file, written in turn, each naming one whole checkpoint. Little endian: magic u64,
/// format u32, shard u16, 2 zero bytes, sequence u64, index i64, term i64, timestamp i64, state hash u64, root slot u32,
/// root CRC32C u32, root hash u64, pages u32, slots u32 (every slot it uses is below), membership length u32, membership;
/// zeros; CRC32C u32 of all before it at the end.
/// </summary>
internal sealed record Superblock(CheckpointInfo Info, long Sequence, TableEntry Root, uint Pages, uint Slots)
{
    /// <summary>How many there are; data starts in the slot behind them.</summary>
    public const uint Places = 2;

    private const ulong Magic = 0x3153_4547_4150_5152; // "RQPAGES1"
    private const uint Format = 1;
    private const int MembershipOffset = 84;
    private const int CrcOffset = PageStore.PageSize - 4;

    public byte[] Encode()
    {
        byte[] block = new byte[PageStore.PageSize];
        Span<byte> span = block;
        BinaryPrimitives.WriteUInt64LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(span[8..], Format);
        BinaryPrimitives.WriteUInt16LittleEndian(span[12..], Info.Shard.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], Info.Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[32..], Info.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[40..], Info.TimestampMs);
        BinaryPrimitives.WriteUInt64LittleEndian(span[48..], Info.StateHash);
        BinaryPrimitives.WriteUInt32LittleEndian(span[56..], Root.Slot);
        BinaryPrimitives.WriteUInt32LittleEndian(span[60..], Root.Crc);
        BinaryPrimitives.WriteUInt64LittleEndian(span[64..], Root.Hash);
        BinaryPrimitives.WriteUInt32LittleEndian(span[72..], Pages);
        BinaryPrimitives.WriteUInt32LittleEndian(span[76..], Slots);
        BinaryPrimitives.WriteInt32LittleEndian(span[80..], Info.Membership.Length);
        Info.Membership.CopyTo(span[MembershipOffset..CrcOffset]);
        BinaryPrimitives.WriteUInt32LittleEndian(span[CrcOffset..], Crc32C.Compute(span[..CrcOffset]));
        return block;
    }

    /// <summary>Null when the block is not a superblock with the checksum it should have and possible fields.</summary>
    public static Superblock? TryDecode(ReadOnlySpan<byte> block)
    {
        if (block.Length != PageStore.PageSize
            || BinaryPrimitives.ReadUInt64LittleEndian(block) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(block[8..]) != Format
            || BinaryPrimitives.ReadUInt32LittleEndian(block[CrcOffset..]) != Crc32C.Compute(block[..CrcOffset]))
        {
            return null;
        }

        int membershipLength = BinaryPrimitives.ReadInt32LittleEndian(block[80..]);
        if (membershipLength is < 0 or > CheckpointInfo.MaxMembershipBytes) return null;
        var info = new CheckpointInfo
        {
            Shard = new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(block[12..])),
            Index = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(block[24..])),
            Term = new Term(BinaryPrimitives.ReadInt64LittleEndian(block[32..])),
            TimestampMs = BinaryPrimitives.ReadInt64LittleEndian(block[40..]),
            StateHash = BinaryPrimitives.ReadUInt64LittleEndian(block[48..]),
            Membership = block.Slice(MembershipOffset, membershipLength).ToArray(),
        };
        var root = new TableEntry(
            BinaryPrimitives.ReadUInt32LittleEndian(block[56..]),
            BinaryPrimitives.ReadUInt32LittleEndian(block[60..]),
            BinaryPrimitives.ReadUInt64LittleEndian(block[64..]));
        return new Superblock(
            info,
            BinaryPrimitives.ReadInt64LittleEndian(block[16..]),
            root,
            BinaryPrimitives.ReadUInt32LittleEndian(block[72..]),
            BinaryPrimitives.ReadUInt32LittleEndian(block[76..]));
    }
}
