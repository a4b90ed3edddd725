using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// Which frames are for whom: both sides are meant in one life, and only the bootstrap question and its answer pass between others.
/// Safe from any thread.
/// </summary>
internal sealed class LifeCheck
{
    private ulong _expected;

    /// <summary>From now on the peer is expected in this life; none is any.</summary>
    public void Expect(Incarnation incarnation) => Volatile.Write(ref _expected, incarnation.Value);

    /// <summary>Whether a frame may be sent to the peer in the life in which it is connected.</summary>
    public bool MaySend(FrameKind kind, Incarnation theirs) => IsBootstrap(kind) || IsExpected(theirs);

    /// <summary>Whether a frame that came is from the peer as it is expected, and for us as we are.</summary>
    public bool MayReceive(in FrameHeader header, Incarnation ours) =>
        IsBootstrap(header.Kind) || (IsExpected(header.Sender) && header.Target == ours);

    private static bool IsBootstrap(FrameKind kind) => kind is FrameKind.BootstrapAsk or FrameKind.BootstrapAnswer;

    private bool IsExpected(Incarnation incarnation)
    {
        ulong expected = Volatile.Read(ref _expected);
        return expected == 0 || expected == incarnation.Value;
    }
}
