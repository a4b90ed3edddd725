namespace RaftQueue.Consensus;

/// <summary>What became of a proposal. Whatever is not <see cref="Accepted"/> left no trace.</summary>
public enum ProposeResult
{
    Accepted,

    NotLeader,

    /// <summary>Leadership is being handed over.</summary>
    Transferring,

    /// <summary>Too many bytes are uncommitted or not durable here (<see cref="RaftOptions.MaxUncommittedBytes"/>).</summary>
    Full,

    /// <summary>A membership that is not the wanted one, or anything else before the first entry.</summary>
    NotWanted,
}
