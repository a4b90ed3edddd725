using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>A peer told whether it is blank.</summary>
internal sealed class BootstrapAnswered(NodeId peer, BootstrapAnswer answer) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Bootstrap.Answered(peer, answer);
}
