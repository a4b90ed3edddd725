using Microsoft.Extensions.Configuration;
using RaftQueue.Server.Hosting;

namespace RaftQueue.Server.Tests.Hosting;

public sealed class SettingsTests
{
    [Fact]
    public void TheExampleOfTheContractIsTaken()
    {
        const string Json = """
            { "RaftQueue": {
                "ClusterId": "demo", "NodeId": 1, "DataDirectory": "/var/lib/raftqueue",
                "Http": "http://127.0.0.1:8080", "Peer": "127.0.0.1:9090", "AllowAnonymous": false,
                "Members": [ { "Id": 1, "Peer": "node1:9090", "Http": "http://node1:8080" },
                             { "Id": 2, "Peer": "node2:9090", "Http": "http://node2:8080" },
                             { "Id": 3, "Peer": "node3:9090", "Http": "http://node3:8080" } ],
                "Shards": 1, "HeartbeatMs": 50, "ElectionTimeoutMs": 300,
                "Durability": "quorum-fsync", "MemoryBudgetMiB": 1024 } }
            """;
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(Json));
        ServerOptions options = SettingsReader.Read(new ConfigurationBuilder().AddJsonStream(stream).Build());
        Assert.Equal(("demo", 1, "/var/lib/raftqueue", "127.0.0.1:9090"), (options.ClusterId, options.NodeId, options.DataDirectory, options.Peer));
        Assert.Equal([1, 2, 3], options.Members.Select(member => member.Id));
        Assert.Equal((1, 50, 300, false, 1024), (options.Shards, options.HeartbeatMs, options.ElectionTimeoutMs, options.QuorumMemory, options.MemoryBudgetMiB));
        Assert.Equal((8080, true), (options.Http.Port, options.Http.IsLoopback));
        Assert.Equal((1 << 20, 8 << 20, 60_000L), (options.Limits.PayloadBytes, options.Limits.BodyBytes, options.Limits.WaitMs));
    }

    [Theory]
    [InlineData("NodeId", "0", "integer from 1")]
    [InlineData("NodeId", "one", "integer from 1")]
    [InlineData("NodeId", "2", "members' ids")]
    [InlineData("NodeId", "", "integer from 1")]
    [InlineData("ClusterId", "", "1 to 128")]
    [InlineData("ClusterId", "a b", "1 to 128")]
    [InlineData("DataDirectory", "", "a directory")]
    [InlineData("Http", "127.0.0.1:8080", "http://ADDRESS:PORT")]
    [InlineData("Http", "https://127.0.0.1:8080", "http://ADDRESS:PORT")]
    [InlineData("Http", "http://127.0.0.1:99999", "http://ADDRESS:PORT")]
    [InlineData("Http", "http://127.0.0.1:8080/x", "http://ADDRESS:PORT")]
    [InlineData("Http", "http://0.0.0.0:8080", "AllowAnonymous")]
    [InlineData("Http", "http://*:8080", "AllowAnonymous")]
    [InlineData("Http", "http://10.0.0.1:8080", "AllowAnonymous")]
    [InlineData("Peer", "9090", "HOST:PORT")]
    [InlineData("Peer", "127.0.0.1:x", "HOST:PORT")]
    [InlineData("AllowAnonymous", "yes", "true or false")]
    [InlineData("Shards", "0", "integer from 1 to 256")]
    [InlineData("HeartbeatMs", "-1", "integer from 1")]
    [InlineData("HeartbeatMs", "1.5", "integer from 1")]
    [InlineData("ElectionTimeoutMs", "60", "integer from 150")]
    [InlineData("Durability", "fsync", "quorum-fsync or quorum-memory")]
    [InlineData("MemoryBudgetMiB", "1", "integer from 16")]
    [InlineData("MaxStateMiB", "1", "integer from 16 to 61440")]
    [InlineData("Limits:PayloadBytes", "0", "integer from 1")]
    [InlineData("Limits:Payload", "1", "is not a setting")]
    [InlineData("HttpLimits:MaxConnections", "0", "integer from 1")]
    [InlineData("Limits", "5", "a section")]
    [InlineData("Nodeid2", "5", "is not a setting")]
    [InlineData("NodeId:Value", "5", "is a section or a list")]
    [InlineData("Members:0:Id", "x", "integer from 1")]
    [InlineData("Members:0:Peer", "x", "HOST:PORT")]
    [InlineData("Members:0:Http", "node1:80", "http://HOST:PORT")]
    [InlineData("Members:0:Name", "x", "is not a setting")]
    [InlineData("Members:x:Id", "1", "is not a setting")]
    [InlineData("Members", "x", "a list")]
    [InlineData("Join", "true", "not available yet")]
    [InlineData("AdminToken", "secret", "not available yet")]
    [InlineData("PeerTls:Key", "k", "not available yet")]
    public void AWrongSettingIsNamedInOneLine(string name, string value, string mayBe)
    {
        Dictionary<string, string?> settings = Good();
        settings[$"RaftQueue:{name}"] = value;
        string message = Assert.Throws<SettingsException>(() => Read(settings)).Message;
        Assert.Contains($"RaftQueue:{name.Split(':')[0]}", message, StringComparison.Ordinal);
        Assert.Contains(mayBe, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        if (value.Length > 0 && !name.EndsWith(":Value", StringComparison.Ordinal) && !name.StartsWith("PeerTls", StringComparison.Ordinal)
            && name != "Members:x:Id") Assert.Contains($"\"{value}\"", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ClusterId")]
    [InlineData("NodeId")]
    [InlineData("DataDirectory")]
    [InlineData("Http")]
    [InlineData("Peer")]
    [InlineData("Members:0:Id")]
    public void AMissingSettingIsNamed(string name)
    {
        Dictionary<string, string?> settings = Good();
        settings.Remove($"RaftQueue:{name}");
        string message = Assert.Throws<SettingsException>(() => Read(settings)).Message;
        Assert.Contains($"RaftQueue:{name} is missing", message, StringComparison.Ordinal);
    }

    [Fact]
    public void MembersMustDiffer()
    {
        Dictionary<string, string?> settings = Good();
        settings["RaftQueue:Members:1:Id"] = "1";
        settings["RaftQueue:Members:1:Peer"] = "127.0.0.1:9";
        settings["RaftQueue:Members:1:Http"] = "http://127.0.0.1:9";
        Assert.Contains("Members:1", Assert.Throws<SettingsException>(() => Read(settings)).Message, StringComparison.Ordinal);
        settings["RaftQueue:Members:1:Id"] = "2";
        settings["RaftQueue:Members:1:Peer"] = "127.0.0.1:9090";
        Assert.Contains("Members:1", Assert.Throws<SettingsException>(() => Read(settings)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:80", true)]
    [InlineData("http://*:80", true)]
    [InlineData("http://[::]:80", true)]
    [InlineData("http://localhost:80", false)]
    [InlineData("http://[::1]:80", false)]
    [InlineData("http://127.0.0.5:80", false)]
    public void OtherAddressesNeedAllowAnonymous(string http, bool needed)
    {
        Dictionary<string, string?> settings = Good();
        settings["RaftQueue:Http"] = http;
        Assert.Equal(needed, Record.Exception(() => Read(settings)) is SettingsException);
        settings["RaftQueue:AllowAnonymous"] = "true";
        Assert.Null(Record.Exception(() => Read(settings)));
    }

    [Fact]
    public void TheCommandLineWinsOverTheFile()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{"RaftQueue":{"NodeId":1,"Shards":4,"ClusterId":"file"}}""");
            IConfiguration configuration = ConfigurationSources.Build(["--config", file, "--RaftQueue:NodeId=2", "--RaftQueue:ClusterId", "line"]);
            Assert.Equal(("2", "4", "line"), (configuration["RaftQueue:NodeId"], configuration["RaftQueue:Shards"], configuration["RaftQueue:ClusterId"]));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("{", "cannot be read as JSON")]
    [InlineData("{\"RaftQueue\":\n{ \"NodeId\" 1 }}", "LineNumber: 1")]
    [InlineData("""{"RaftQeue":{}}""", "RaftQeue")]
    public void AWrongFileIsRefused(string content, string says)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);
            string message = Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--config", file])).Message;
            Assert.Contains(says, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void WrongArgumentsAreRefused()
    {
        Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--config"]));
        Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--config", "/nowhere/at/all.json"]));
        Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["extra"]));
        Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--Other:NodeId=1"]));
        Assert.Contains("--nonsense", Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--nonsense"])).Message, StringComparison.Ordinal);
        Assert.Throws<SettingsException>(() => ConfigurationSources.Build(["--RaftQueue:NodeId", "--RaftQueue:Shards=3"]));
        Assert.Equal("2", ConfigurationSources.Build(["--RaftQueue:NodeId", "2"])["RaftQueue:NodeId"]);
    }

    [Fact]
    public async Task AWrongStartIsExitCodeTwo()
    {
        Assert.Equal(2, await RaftQueueServer.RunAsync(["--config", "/nowhere/at/all.json"], CancellationToken.None));
        Assert.Equal(2, await RaftQueueServer.RunAsync(["--RaftQueue:NodeId=x"], CancellationToken.None));
    }

    private static ServerOptions Read(Dictionary<string, string?> settings) =>
        SettingsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());

    private static Dictionary<string, string?> Good() => new()
    {
        ["RaftQueue:ClusterId"] = "demo",
        ["RaftQueue:NodeId"] = "1",
        ["RaftQueue:DataDirectory"] = "/data",
        ["RaftQueue:Http"] = "http://127.0.0.1:8080",
        ["RaftQueue:Peer"] = "127.0.0.1:9090",
        ["RaftQueue:Members:0:Id"] = "1",
        ["RaftQueue:Members:0:Peer"] = "127.0.0.1:9090",
        ["RaftQueue:Members:0:Http"] = "http://127.0.0.1:8080",
    };
}
