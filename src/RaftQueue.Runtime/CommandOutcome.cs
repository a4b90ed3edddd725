using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>What became of a command. <see cref="Result"/> is the encoded result array, owned by the receiver.</summary>
public readonly record struct CommandOutcome(
    OutcomeKind Kind,
    NotAppliedReason Reason,
    ShardId Shard,
    LogIndex Index,
    ResultCode Code,
    ReadOnlyMemory<byte> Result)
{
    public static CommandOutcome Applied(ShardId shard, LogIndex index, ResultCode code, ReadOnlyMemory<byte> result) =>
        new(OutcomeKind.Applied, NotAppliedReason.None, shard, index, code, result);

    public static CommandOutcome NotApplied(ShardId shard, NotAppliedReason reason) =>
        new(OutcomeKind.NotApplied, reason, shard, default, default, default);

    public static CommandOutcome Unknown(ShardId shard) =>
        new(OutcomeKind.Unknown, NotAppliedReason.None, shard, default, default, default);
}
