namespace RaftQueue.Tests;

/// <summary>What three real nodes do when they are killed and stopped. In order within one test: each starts a cluster of its own.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task NothingConfirmedIsLostByKillingNodes()
    {
        var cluster = new LocalCluster();
        await cluster.InitializeAsync();
        try
        {
            int jobs = await EnqueueAsync(cluster, 0);
            int leader = await cluster.LeaderAsync();
            await KillAsync(cluster, leader % 3 + 1);
            jobs = await EnqueueAsync(cluster, jobs);
            await KillAsync(cluster, await cluster.LeaderAsync());
            jobs = await EnqueueAsync(cluster, jobs);
            foreach (int node in new[] { 1, 2, 3 }) Run.Signal(cluster.ProcessOf(node), Run.SigKill);
            await Run.UntilAsync("the cluster serves again", async () => (await cluster.CommandAsync("queues")).Code == 0);
            Assert.Equal(jobs, await cluster.CountAsync("kept", "ready"));
            Assert.Equal(0, await cluster.StopAsync(Run.SigTerm));
            foreach (int node in new[] { 1, 2, 3 }) (await cluster.CommandAsync("check", Path.Combine(cluster.Data, $"node{node}"))).Ok();
            await cluster.StartAsync();
            Assert.Equal(jobs, await cluster.CountAsync("kept", "ready"));
            await FindsDamageAsync(cluster);
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    [Fact]
    public async Task NodesDoNotOutliveTheirParent()
    {
        var cluster = new LocalCluster();
        await cluster.InitializeAsync();
        try
        {
            int[] nodes = [cluster.ProcessOf(1), cluster.ProcessOf(2), cluster.ProcessOf(3)];
            Assert.All(nodes, node => Assert.True(Run.IsAlive(node)));
            await cluster.StopAsync(Run.SigKill);
            await Run.UntilAsync("the nodes have ended", () => Task.FromResult(!nodes.Any(Run.IsAlive)));
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    private static async Task<int> EnqueueAsync(LocalCluster cluster, int before)
    {
        string lines = string.Concat(Enumerable.Range(before + 1, 1500).Select(i => $"{i}\n"));
        (await cluster.CommandWithInputAsync(lines, "enqueue", "kept", "-")).Ok();
        return before + 1500;
    }

    private static async Task KillAsync(LocalCluster cluster, int node)
    {
        int process = cluster.ProcessOf(node);
        Run.Signal(process, Run.SigKill);
        await Run.UntilAsync($"node {node} is started again", () => Task.FromResult(cluster.ProcessOf(node) != process));
    }

    /// <summary>One flipped bit in the middle of the log is found, and its place is named.</summary>
    private static async Task FindsDamageAsync(LocalCluster cluster)
    {
        await cluster.StopAsync();
        string directory = Path.Combine(cluster.Data, "node1");
        string segment = Directory.GetFiles(Path.Combine(directory, "wal")).Order(StringComparer.Ordinal).First();
        await using (FileStream file = File.Open(segment, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 3 * 4096 + 100;
            int value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 1));
        }

        Run.Result check = await Run.ToEndAsync("check", directory);
        Assert.Equal(1, check.Code);
        Assert.Contains(Path.GetFileName(segment), check.Output, StringComparison.Ordinal);
    }
}
