using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What a network tells. Called on its threads, must not block. For one peer the calls never overlap: Connected, any number of
/// Received, Disconnected, and again; nothing of an old connection comes after Connected of a new one. Calls for
/// different peers do overlap.
/// </summary>
public interface IPeerHandler
{
    /// <summary>The handshake is complete; <see cref="Handshake.Incarnation"/> may be one that nobody knows yet (a wiped node).</summary>
    void Connected(NodeId peer, Handshake theirs);

    /// <summary>The connection is gone. <paramref name="orderly"/> when one side said so first.</summary>
    void Disconnected(NodeId peer, bool orderly);

    /// <summary>
    /// A connection was refused by either side. The reason names the setting and both values. A peer whose settings differ is
    /// tried again every two seconds, so this repeats. <paramref name="peer"/> is null while it is not known who called.
    /// </summary>
    void Refused(NodeId? peer, string reason);

    /// <summary>A whole message. <paramref name="payload"/> is on the managed heap and the handler may keep it.</summary>
    void Received(NodeId peer, FrameKind kind, ShardId shard, ReadOnlyMemory<byte> payload);

    /// <summary>What this node answers to a <see cref="FrameKind.BootstrapAsk"/>; the network sends it.</summary>
    BootstrapAnswer AnswerBootstrap();

    /// <summary>
    /// What this node says first to <paramref name="target"/>. Called without any order to the other methods, also for a
    /// node that turns out not to be a member.
    /// </summary>
    Handshake OurHandshake(NodeId target);
}
