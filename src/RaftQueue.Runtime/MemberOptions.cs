using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>One configured member: where its peers and its users reach it.</summary>
public sealed record MemberOptions(NodeId Id, string Peer, string Http);
