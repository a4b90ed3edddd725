namespace RaftQueue.Client;

/// <summary>A Raft group as the node asked sees it.</summary>
public sealed record ShardInfo
{
    public int Id { get; init; }

    /// <summary>The asked node's own role: <c>leader</c>, <c>follower</c>, <c>candidate</c> or <c>learner</c>.</summary>
    public string? Role { get; init; }

    public long Term { get; init; }

    /// <summary>The leader's id; absent while it is not known.</summary>
    public int? Leader { get; init; }

    public long CommitIndex { get; init; }

    public long AppliedIndex { get; init; }

    public long LastIndex { get; init; }

    public StateHash? StateHash { get; init; }

    public IReadOnlyList<ClusterMember> Members { get; init; } = [];

    /// <summary>The state that the asked node fetches from another; null while it fetches none.</summary>
    public StateTransfer? Transfer { get; init; }

    /// <summary>The state of the asked node is another than a voter's, and no majority is known to agree on any: nobody is served.</summary>
    public bool InDoubt { get; init; }

    /// <summary>Damaged pages of the asked node that it gets back from others; null while none is known.</summary>
    public PageMending? Mending { get; init; }
}
