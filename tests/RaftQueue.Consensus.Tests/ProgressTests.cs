using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

public sealed class ProgressTests
{
    private static readonly RaftOptions Options = new()
    {
        Self = new NodeId(1), SelfIncarnation = new Incarnation(1), Shard = Entries.Shard, MaxInflightBytes = 100, MaxInflightMessages = 3,
    };

    [Fact]
    public void AProbeWaitsForItsReplyThenThePipelineOpens()
    {
        Progress peer = Replicating(match: 0, next: 11, acknowledge: 10);
        Assert.Equal((ProgressState.Replicate, 10L, 11L), (peer.State, peer.Match.Value, peer.Next.Value));
        peer.Sent(new LogIndex(12), 40);
        peer.Sent(new LogIndex(14), 40);
        Assert.False(peer.WindowFull(Options));
        peer.Sent(new LogIndex(15), 40);
        Assert.True(peer.WindowFull(Options));
        Assert.True(peer.Acknowledge(new LogIndex(13), new LogIndex(1), nowMs: 0));
        Assert.Equal(80, peer.InflightBytes);
        Assert.Equal(new LogIndex(16), peer.Next);
        Assert.False(peer.Acknowledge(new LogIndex(12), new LogIndex(1), nowMs: 0));
        Assert.Equal(new LogIndex(13), peer.Match);
    }

    [Fact]
    public void TheWindowIsBoundedInMessagesToo()
    {
        Progress peer = Replicating(match: 0, next: 1, acknowledge: 0);
        for (int i = 1; i <= 3; i++)
        {
            Assert.False(peer.WindowFull(Options));
            peer.Sent(new LogIndex(i), 1);
        }

        Assert.True(peer.WindowFull(Options));
    }

    [Theory]
    [InlineData(10, 7, true, 8, 8)]
    [InlineData(10, 12, true, 10, 10)]
    [InlineData(10, 0, true, 1, 1)]
    [InlineData(9, 7, false, 11, 11)]
    [InlineData(11, 7, false, 11, 11)]
    public void ARefusedProbeGoesBackToWhatMayMatch(long rejected, long possible, bool news, long next, long nextIfReplayed)
    {
        var peer = new Progress(Entries.Member(2), new LogIndex(11));
        Assert.Equal(news, peer.Refuse(new LogIndex(rejected), new LogIndex(possible)));
        Assert.Equal(new LogIndex(next), peer.Next);
        peer.Refuse(new LogIndex(rejected), new LogIndex(possible));
        Assert.Equal(new LogIndex(nextIfReplayed), peer.Next);
    }

    [Fact]
    public void APeerThatLostWhatItAcknowledgedFallsBack()
    {
        Progress peer = Replicating(match: 0, next: 11, acknowledge: 10);
        Assert.False(peer.Refuse(new LogIndex(9), new LogIndex(4)));
        Assert.True(peer.Refuse(new LogIndex(10), new LogIndex(4)));
        Assert.Equal((ProgressState.Probe, 11L, 10L), (peer.State, peer.Next.Value, peer.Match.Value));
        Assert.True(peer.Refuse(new LogIndex(10), new LogIndex(4)));
        Assert.Equal((ProgressState.Probe, 5L, 4L), (peer.State, peer.Next.Value, peer.Match.Value));
    }

    [Theory]
    [InlineData(49, ProgressState.Checkpoint)]
    [InlineData(50, ProgressState.Replicate)]
    [InlineData(60, ProgressState.Replicate)]
    public void ACheckpointEndsWhenTheLogReachesTheFollower(long match, ProgressState state)
    {
        var peer = new Progress(Entries.Member(2), new LogIndex(11));
        peer.BecomeCheckpoint();
        peer.Acknowledge(new LogIndex(match), new LogIndex(51), nowMs: 0);
        Assert.Equal(state, peer.State);
    }

    [Fact]
    public void ASilentBeatIsNoticed()
    {
        Progress peer = Replicating(match: 0, next: 1, acknowledge: 0);
        peer.Beat();
        peer.Sent(new LogIndex(1), 10);
        peer.Beat();
        Assert.False(peer.Stalled);
        peer.Beat();
        Assert.True(peer.Stalled);
        peer.Acknowledge(new LogIndex(1), new LogIndex(1), nowMs: 0);
        peer.Beat();
        Assert.False(peer.Stalled);
    }

    private static Progress Replicating(long match, long next, long acknowledge)
    {
        var peer = new Progress(Entries.Member(2), new LogIndex(next));
        Assert.Equal(new LogIndex(match), peer.Match);
        peer.Sent(peer.Next, 0);
        Assert.True(peer.ProbeSent);
        peer.Acknowledge(new LogIndex(acknowledge), new LogIndex(1), nowMs: 0);
        return peer;
    }
}
