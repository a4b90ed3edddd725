namespace RaftQueue.Consensus;

/// <summary>What became of a <see cref="MembershipChange"/>.</summary>
public enum MembershipChangeResult
{
    /// <summary>The leader carries it out; nothing is durable yet. A leader that fails before may leave it undone.</summary>
    Accepted,

    NotLeader,

    /// <summary>No entry of the leader's own term is committed yet, or it hands over.</summary>
    NotReady,

    /// <summary>Another change is not finished.</summary>
    InProgress,

    /// <summary>No such member.</summary>
    Unknown,

    /// <summary>The membership is already so.</summary>
    AlreadyDone,

    /// <summary>The learner lags too far behind to be promoted.</summary>
    NotCaughtUp,

    /// <summary>Nobody would be left to vote.</summary>
    LastVoter,

    /// <summary>The resulting membership is not possible: too many members, a bad address, an id in use.</summary>
    Impossible,
}
