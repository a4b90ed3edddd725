using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>One direction between two nodes, whatever connections come and go on it.</summary>
internal sealed class NetworkPath(NodeId from, NodeId to, SplitMix64 random)
{
    public NodeId From { get; } = from;

    public NodeId To { get; } = to;

    public SplitMix64 Random { get; } = random;

    /// <summary>How many faults cut it at present.</summary>
    public int Cuts { get; set; }

    public bool IsCut => Cuts > 0;

    /// <summary>The weather does not touch it any more.</summary>
    public bool IsCalm { get; set; }

    /// <summary>Transfers on it break at their next chunk.</summary>
    public bool BreaksTransfers { get; set; }

    /// <summary>The sender of a transfer reads wrong bytes: checksums of frames hold, those of pages do not.</summary>
    public bool SpoilsTransfers { get; set; }

    /// <summary>Consensus messages of this kind are lost.</summary>
    public MessageKind? LosesKind { get; set; }

    /// <summary>Nothing arrives before this time, then everything does.</summary>
    public long CloggedUntil { get; set; }
}
