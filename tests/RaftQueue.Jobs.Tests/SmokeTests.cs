using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Support;

namespace RaftQueue.Jobs.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void A_job_goes_in_is_leased_and_acked()
    {
        using var shard = new Shard();
        JobId id = Assert.Single(shard.Enqueue("email", new PlainJob { Payload = "{\"a\":1.0}" }));
        LeaseToken token = Assert.Single(shard.Lease("email"));
        Assert.Equal(id, token.Job);
        Assert.Equal("Ok at 3\n  Ok", shard.Run(CommandType.Ack, Bodies.Ack([token], "\"done\"")));
        Assert.True(shard.Store.IsFinished(id, out bool exists));
        Assert.True(exists);
        Assert.Contains("Result = \"done\"", shard.Text(id), StringComparison.Ordinal);
        Assert.Equal("email [0,0,0,1,0,0,0] oldest  totals 1/1/0", shard.Replica.Queue("email"));
    }
}
