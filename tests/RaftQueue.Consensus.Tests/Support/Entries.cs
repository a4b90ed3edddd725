using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>Entries and members for tests.</summary>
internal static class Entries
{
    public const ushort JobType = CommandFrame.FirstJobType;

    public static readonly ShardId Shard = new(0);

    public static LogEntry Job(long term, long index, ulong payload, int extraBytes = 0)
    {
        byte[] body = new byte[8 + extraBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(body, payload);
        var frame = new CommandFrame(JobType, new Incarnation(1), payload, body);
        byte[] bytes = new byte[EntryHeader.Size + frame.Size];
        frame.Write(bytes.AsSpan(EntryHeader.Size));
        new EntryHeader(EntryHeader.CurrentFormat, EntryHeader.CurrentApplyLevel, Shard, 1, new Term(term), new LogIndex(index), 0, frame.Size)
            .Seal(bytes);
        Assert.True(LogEntry.TryParse(bytes, out LogEntry? entry));
        return entry;
    }

    public static MemberInfo Member(int id, ulong incarnation = 0) => new(
        new NodeId(id), new Incarnation(incarnation == 0 ? (ulong)id * 100 : incarnation), $"node{id}:7000", $"node{id}:8000");

    public static MembershipRecord Voters(params int[] ids) => new(ids.Select(id => Member(id)));
}
