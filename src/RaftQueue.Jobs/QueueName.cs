using System.Buffers;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>Rules about the names of queues, schedules and tokens: 1 to 128 of <c>A-Z a-z 0-9 . _ : -</c>.</summary>
public static class QueueName
{
    public const int MaxLength = 128;

    private static readonly SearchValues<byte> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"u8);

    public static bool IsValid(ReadOnlySpan<byte> utf8) =>
        utf8.Length is >= 1 and <= MaxLength && !utf8.ContainsAnyExcept(Allowed);

    /// <summary>The shard that holds this queue for as long as the cluster lives; <paramref name="shards"/> is at least 1.</summary>
    public static ShardId ShardOf(ReadOnlySpan<byte> utf8, int shards)
    {
        Invariant.That(shards is >= 1 and <= ushort.MaxValue, "a cluster has between 1 and 65,535 shards");
        return new ShardId((ushort)(Crc32C.Compute(utf8) % (uint)shards));
    }
}
