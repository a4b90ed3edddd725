using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>The two ways to other nodes: frames, and pages of checkpoints.</summary>
public sealed record NodePeers(IPeerNetwork Network, ITransferClient Transfers);
