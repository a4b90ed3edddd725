namespace RaftQueue.Storage;

/// <summary>What <see cref="Recovery"/> hands over: all before <see cref="End"/>, in the store's newest segment, is durable.</summary>
internal sealed record RecoveredLog(ReplayedShard[] Shards, SegmentStore Store, WalPosition End, IReadOnlyList<WalDamage> Damages, bool WasEmpty);
