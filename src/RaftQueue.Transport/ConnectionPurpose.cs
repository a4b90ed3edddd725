namespace RaftQueue.Transport;

/// <summary>What a connection is for.</summary>
internal enum ConnectionPurpose : byte
{
    /// <summary>Messages between two nodes: one connection a pair.</summary>
    Peer = 0,

    /// <summary>One checkpoint: any number, short-lived.</summary>
    Transfer = 1,
}
