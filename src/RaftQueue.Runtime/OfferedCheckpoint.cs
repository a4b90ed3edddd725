using RaftQueue.Pages;

namespace RaftQueue.Runtime;

/// <summary>A checkpoint that a peer gives pages of: what it is of, the hash of its table, how many pages.</summary>
internal readonly record struct OfferedCheckpoint(CheckpointInfo Info, ulong RootHash, long Pages);
