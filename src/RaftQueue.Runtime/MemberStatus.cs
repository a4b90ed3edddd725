using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A member of a shard; match and lag are known to its leader only.</summary>
public sealed record MemberStatus(NodeId Id, string Http, bool IsVoter, LogIndex MatchIndex, long LagMs, bool Reachable);
