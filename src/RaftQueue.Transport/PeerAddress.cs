using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Where a member's peer port is: "host:port", resolved anew at each dial.</summary>
public sealed record PeerAddress(NodeId Id, string Address);
