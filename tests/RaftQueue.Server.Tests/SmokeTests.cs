using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests;

public sealed class SmokeTests(TestNode node) : IClassFixture<TestNode>
{
    [Fact]
    public async Task AJobGoesAllTheWay()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/smoke/jobs", """{"payload": { "a" : 1.0 }}""");
        Assert.True(put.Status == 201, put.Text);
        Reply leased = await node.Http.PostAsync("/v1/leases", """{"queues":["smoke"],"worker":"w"}""");
        Assert.True(leased.Status == 200, leased.Text);
        string token = leased.Json["jobs"]![0]!["lease"]!["token"]!.GetValue<string>();
        Reply acked = await node.Http.PostAsync("/v1/leases/ack", "{\"acks\":[{\"token\":\"" + token + "\",\"result\":[1]}]}");
        Assert.True(acked.Status == 200, acked.Text);
        Assert.Equal("ok", acked.Json["results"]![0]!["status"]!.GetValue<string>());
        Reply cluster = await node.Http.GetReplyAsync("/v1/cluster");
        Assert.True(cluster.Status == 200, cluster.Text);
        Reply queues = await node.Http.GetReplyAsync("/v1/queues");
        Assert.True(queues.Status == 200, queues.Text);
    }
}
