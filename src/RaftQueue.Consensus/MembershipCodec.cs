using System.Buffers.Binary;
using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// A membership's bytes, little endian: format u8 (1), voters u8, learners u8, outgoing u8, then the members of each list in that
/// order: id i32, incarnation u64, flags u8 (bit 0: promote when caught up), peer address and HTTP address (length u8, UTF-8).
/// Each membership has one encoding.
/// </summary>
internal static class MembershipCodec
{
    private const byte Format = 1;
    private const byte PromoteFlag = 1;
    private const int MemberBytes = 4 + 8 + 1;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] Encode(MembershipRecord record)
    {
        int size = 4;
        foreach (IReadOnlyList<MemberInfo> list in Lists(record))
        {
            size += list.Sum(member =>
                MemberBytes + 2 + Strict.GetByteCount(member.PeerAddress) + Strict.GetByteCount(member.HttpAddress));
        }

        byte[] bytes = new byte[size];
        bytes[0] = Format;
        bytes[1] = (byte)record.Voters.Count;
        bytes[2] = (byte)record.Learners.Count;
        bytes[3] = (byte)record.Outgoing.Count;
        int at = 4;
        foreach (IReadOnlyList<MemberInfo> list in Lists(record))
        {
            foreach (MemberInfo member in list) at += Write(bytes.AsSpan(at), member);
        }

        Invariant.That(at == size, "an encoded membership is as long as counted");
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> data, out MembershipRecord? record)
    {
        record = null;
        if (data.Length < 4 || data[0] != Format) return false;
        int voters = data[1], learners = data[2], outgoing = data[3];
        if (voters > MembershipRecord.MaxMembers || learners > MembershipRecord.MaxMembers || outgoing > MembershipRecord.MaxMembers)
        {
            return false;
        }

        data = data[4..];
        if (!TryTake(ref data, voters, out MemberInfo[] voterList)
            || !TryTake(ref data, learners, out MemberInfo[] learnerList)
            || !TryTake(ref data, outgoing, out MemberInfo[] outgoingList)
            || !data.IsEmpty)
        {
            return false;
        }

        record = MembershipRecord.FromOrdered(voterList, learnerList, outgoingList);
        return record is not null;
    }

    public static bool AddressFits(string address)
    {
        if (address is null || address.Length > MembershipRecord.MaxAddressBytes) return false;
        for (int i = 0; i < address.Length; i++)
        {
            if (char.IsHighSurrogate(address[i]) && i + 1 < address.Length && char.IsLowSurrogate(address[i + 1])) i++;
            else if (char.IsSurrogate(address[i])) return false;
        }

        return Strict.GetByteCount(address) <= MembershipRecord.MaxAddressBytes;
    }

    private static IReadOnlyList<MemberInfo>[] Lists(MembershipRecord record) => [record.Voters, record.Learners, record.Outgoing];

    private static int Write(Span<byte> destination, MemberInfo member)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, member.Id.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[4..], member.Incarnation.Value);
        destination[12] = member.PromoteWhenCaughtUp ? PromoteFlag : (byte)0;
        int at = MemberBytes;
        at += WriteText(destination[at..], member.PeerAddress);
        at += WriteText(destination[at..], member.HttpAddress);
        return at;
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        int length = Strict.GetBytes(text, destination[1..]);
        destination[0] = (byte)length;
        return 1 + length;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> data, int count, out MemberInfo[] members)
    {
        members = count == 0 ? [] : new MemberInfo[count];
        for (int i = 0; i < count; i++)
        {
            if (data.Length < MemberBytes || data[12] > PromoteFlag) return false;
            var id = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(data));
            var incarnation = new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(data[4..]));
            bool promote = data[12] == PromoteFlag;
            data = data[MemberBytes..];
            if (!TryTakeText(ref data, out string peer) || !TryTakeText(ref data, out string http)) return false;
            members[i] = new MemberInfo(id, incarnation, peer, http) { PromoteWhenCaughtUp = promote };
        }

        return true;
    }

    private static bool TryTakeText(ref ReadOnlySpan<byte> data, out string text)
    {
        text = "";
        if (data.IsEmpty || data.Length - 1 < data[0]) return false;
        ReadOnlySpan<byte> bytes = data.Slice(1, data[0]);
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return false;
        text = Strict.GetString(bytes);
        data = data[(1 + bytes.Length)..];
        return true;
    }
}
