using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>What surrounds simulated nodes: a random cluster or one driven by hand.</summary>
internal interface ISimWorld
{
    IRandomSource Random { get; }

    long NowMs { get; }

    SafetyChecks Checks { get; }

    /// <summary>Takes lines about what happens; null when nobody looks.</summary>
    Action<string>? Trace { get; }

    SimNode Node(NodeId id);

    void Send(SimNode from, Message message);

    void Fetch(SimNode node, CheckpointNeeded needed);
}
