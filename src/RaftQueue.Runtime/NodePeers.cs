using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>The two ways to other nodes: frames, and whole checkpoints.</summary>
public sealed record NodePeers(IPeerNetwork Network, ITransferClient Transfers);
