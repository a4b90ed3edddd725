namespace RaftQueue.Consensus;

/// <summary>What a node is in its group. A PreCandidate asks whether a vote could be won and has not raised its term.</summary>
public enum Role
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}
