using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class LifeCheckTests
{
    private static readonly Incarnation Ours = new(5);
    private static readonly Incarnation Theirs = new(7);
    private static readonly Incarnation Other = new(8);

    private readonly LifeCheck _lives = new();

    [Fact]
    public void FramesPassBetweenTheLivesThatAreMeant()
    {
        Assert.True(_lives.MaySend(FrameKind.Raft, Other));
        _lives.Expect(Theirs);
        Assert.True(_lives.MaySend(FrameKind.Raft, Theirs));
        Assert.False(_lives.MaySend(FrameKind.Raft, Other));
        Assert.True(_lives.MayReceive(Frame(FrameKind.Raft, Theirs, Ours), Ours));
        Assert.False(_lives.MayReceive(Frame(FrameKind.Raft, Other, Ours), Ours));
        Assert.False(_lives.MayReceive(Frame(FrameKind.Raft, Theirs, Other), Ours));
        _lives.Expect(Incarnation.None);
        Assert.True(_lives.MayReceive(Frame(FrameKind.Raft, Other, Ours), Ours));
    }

    [Theory]
    [InlineData(FrameKind.BootstrapAsk)]
    [InlineData(FrameKind.BootstrapAnswer)]
    public void TheBootstrapQuestionPassesBetweenAll(FrameKind kind)
    {
        _lives.Expect(Theirs);
        Assert.True(_lives.MaySend(kind, Other));
        Assert.True(_lives.MayReceive(Frame(kind, Other, Other), Ours));
    }

    private static FrameHeader Frame(FrameKind kind, Incarnation sender, Incarnation target) => new(kind, FrameFlags.None, default, 0, sender, target);
}
