using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The answer to one <c>RaftNode.RequestRead</c>: granted, the read may be served from a state applied at least through
/// <see cref="Index"/>; not granted, this node could not prove that it leads.
/// </summary>
public readonly record struct ReadResult(ulong Context, bool Granted, LogIndex Index);
