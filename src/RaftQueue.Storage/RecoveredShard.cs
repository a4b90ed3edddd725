using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>What recovery found of one shard.</summary>
/// <param name="HardState">Null when both copies are bad: no vote ever under this incarnation.</param>
/// <param name="VoteFloor">Where the log ended before it was damaged; no vote and no campaign before it is at least as up to date again.</param>
/// <param name="FirstIndex">The first entry held, or the one after the last released.</param>
/// <param name="LastIndex">The last entry held, or the last released.</param>
/// <param name="LastTerm">Its term.</param>
/// <param name="DamageReport">What was wrong and where, in words; null when nothing was.</param>
public sealed record RecoveredShard(
    HardState? HardState,
    (Term Term, LogIndex Index)? VoteFloor,
    LogIndex FirstIndex,
    LogIndex LastIndex,
    Term LastTerm,
    string? DamageReport);
