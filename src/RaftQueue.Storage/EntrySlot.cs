using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>Where one entry is: in memory, in a segment (<see cref="Place"/>.Segment above zero), or both.</summary>
internal record struct EntrySlot(Term Term, int Bytes, WalPosition Place, LogEntry? Entry);
