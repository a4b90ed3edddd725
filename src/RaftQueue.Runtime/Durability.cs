namespace RaftQueue.Runtime;

/// <summary>What a reply means.</summary>
public enum Durability
{
    /// <summary>The entry is fsynced on a majority of the voters.</summary>
    QuorumFsync,

    /// <summary>A majority has received the entry; each fsyncs within 50 ms. A power loss of a majority may lose it.</summary>
    QuorumMemory,
}
