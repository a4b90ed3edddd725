using System.Globalization;
using Microsoft.Extensions.Configuration;
using RaftQueue.Jobs;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Hosting;

/// <summary>Turns configuration into validated <see cref="ServerOptions"/>.</summary>
public static class SettingsReader
{
    /// <summary>The one section that is read.</summary>
    public const string SectionName = "RaftQueue";

    private const string MembersRule = "a list of { Id, Peer, Http }";
    private const string PeerRule = "HOST:PORT, such as 127.0.0.1:9090";
    private const string NameRule = "1 to 128 of A-Z, a-z, 0-9 and . _ : -";
    private static readonly string[] TopLevel = [SectionName, "Logging"];

    /// <exception cref="SettingsException">A setting is wrong, missing or unknown.</exception>
    public static ServerOptions Read(IConfiguration configuration)
    {
        var settings = new SettingsSection(configuration.GetSection(SectionName));
        foreach (string later in new[] { "Join", "AdminToken", "PeerTls" }) settings.NotYet(later);
        HttpAddress http = ReadHttp(settings);
        bool allowAnonymous = settings.Bool("AllowAnonymous", absent: false);
        int heartbeat = settings.Integer("HeartbeatMs", 1, 10_000, 50);
        var options = new ServerOptions
        {
            ClusterId = settings.Text("ClusterId", NameRule, IsName),
            NodeId = settings.Integer("NodeId", 1, int.MaxValue),
            DataDirectory = settings.Text("DataDirectory", "a directory", path => path.Length > 0),
            Http = http,
            Peer = settings.Text("Peer", PeerRule, IsHostAndPort),
            AllowAnonymous = allowAnonymous,
            Members = ReadMembers(settings),
            Shards = settings.Integer("Shards", 1, 256, 1),
            HeartbeatMs = heartbeat,
            ElectionTimeoutMs = settings.Integer("ElectionTimeoutMs", 3 * heartbeat, 120_000, Math.Max(300, 3 * heartbeat)),
            QuorumMemory = ReadDurability(settings),
            MemoryBudgetMiB = settings.Integer("MemoryBudgetMiB", 16, 1 << 24, 1024),
            MaxStateMiB = settings.Integer("MaxStateMiB", 16, 61_440, 32_768),
            LeaderWaitMs = settings.Integer("LeaderWaitMs", 0, 600_000, 3000),
            RequestTimeoutMs = settings.Integer("RequestTimeoutMs", 100, 600_000, 10_000),
            MaxPendingRequests = settings.Integer("MaxPendingRequests", 16, 1_000_000, 16_384),
            MaxPendingMiB = settings.Integer("MaxPendingMiB", 1, 65_536, 64),
            DrainMs = settings.Integer("DrainMs", 0, 600_000, 5000),
            Replicated = ReadReplicated(settings),
            HttpLimits = ReadHttpLimits(settings.Section("HttpLimits")),
            Limits = ReadLimits(settings.Section("Limits")),
        };
        settings.RefuseUnknown();
        CheckTogether(settings, options);
        return options;
    }

    /// <summary>Refuses top-level sections of the settings file and the command line that mean nothing.</summary>
    public static void RefuseUnknownSections(IConfiguration configuration, string where)
    {
        foreach (IConfigurationSection section in configuration.GetChildren())
        {
            if (TopLevel.Contains(section.Key, StringComparer.OrdinalIgnoreCase)) continue;
            string value = section.Value is { } text ? $" (\"{text}\")" : "";
            throw new SettingsException($"{section.Key}{value} in {where} is not a setting; there may be {string.Join(", ", TopLevel)}.");
        }
    }

    private static HttpAddress ReadHttp(SettingsSection settings)
    {
        const string Rule = "http://ADDRESS:PORT with an IP address, localhost or * (any), such as http://127.0.0.1:8080";
        return HttpAddress.TryParse(settings.Text("Http", Rule, text => HttpAddress.TryParse(text) is not null))!;
    }

    private static bool ReadDurability(SettingsSection settings) => settings.Text(
        "Durability",
        "quorum-fsync or quorum-memory",
        text => text is "quorum-fsync" or "quorum-memory",
        "quorum-fsync") == "quorum-memory";

    private static List<MemberSetting> ReadMembers(SettingsSection settings)
    {
        var members = new List<MemberSetting>();
        foreach (SettingsSection item in settings.Items("Members", MembersRule))
        {
            members.Add(new MemberSetting(
                item.Integer("Id", 1, int.MaxValue),
                item.Text("Peer", PeerRule, IsHostAndPort),
                item.Text("Http", "http://HOST:PORT", IsHttpUrl)));
            item.RefuseUnknown();
        }

        return members;
    }

    private static ReplicatedLimits ReadReplicated(SettingsSection settings)
    {
        var defaults = new ReplicatedLimits();
        const long Century = RequestLimits.MaxDurationMs;
        return new ReplicatedLimits
        {
            IdempotencyWindowMs = settings.Long("IdempotencyWindowMs", 1000, Century, defaults.IdempotencyWindowMs),
            MaxIdempotencyKeys = settings.Long("MaxIdempotencyKeys", 0, 1_000_000_000, defaults.MaxIdempotencyKeys),
            MaxQueues = settings.Long("MaxQueues", 1, 1_000_000, defaults.MaxQueues),
            KeepMs = settings.Long("DefaultKeepMs", 0, Century, defaults.KeepMs),
            KeepDeadMs = settings.Long("DefaultKeepDeadMs", 0, Century, defaults.KeepDeadMs),
            KeepFinished = settings.Long("DefaultKeepFinished", 0, 1_000_000_000, defaults.KeepFinished),
            MaxAttempts = settings.Integer("DefaultMaxAttempts", 1, 1_000_000, defaults.MaxAttempts),
            LeaseMs = settings.Long("DefaultLeaseMs", 100, 12L * 3600 * 1000, defaults.LeaseMs),
        };
    }

    private static HttpLimits ReadHttpLimits(SettingsSection settings)
    {
        var limits = new HttpLimits
        {
            MaxConnections = settings.Integer("MaxConnections", 1, 1_000_000, 10_000),
            MinBodyBytesPerSecond = settings.Integer("MinBodyBytesPerSecond", 1, 1 << 30, 240),
            BodyGraceMs = settings.Integer("BodyGraceMs", 1001, 600_000, 5000),
            BodySilenceMs = settings.Integer("BodySilenceMs", 100, 600_000, 30_000),
            KeepAliveMs = settings.Integer("KeepAliveMs", 1000, 3_600_000, 130_000),
            HeadersTimeoutMs = settings.Integer("HeadersTimeoutMs", 1000, 600_000, 10_000),
            MaxBodiesMiB = settings.Integer("MaxBodiesMiB", 16, 65_536, 256),
        };
        settings.RefuseUnknown();
        return limits;
    }

    private static RequestLimits ReadLimits(SettingsSection settings)
    {
        const int Mebi = 1 << 20;
        var limits = new RequestLimits
        {
            PayloadBytes = settings.Integer("PayloadBytes", 1, 8 * Mebi, Mebi),
            ResultBytes = settings.Integer("ResultBytes", 1, 8 * Mebi, Mebi),
            ErrorBytes = settings.Integer("ErrorBytes", 0, JobLimits.MaxErrorBytes, 4096),
            ProgressBytes = settings.Integer("ProgressBytes", 1, JobLimits.MaxProgressBytes, 4096),
            BatchJobs = settings.Integer("BatchJobs", 1, 10_000, 1000),
            BodyBytes = settings.Integer("BodyBytes", 1024, 12 * Mebi, 8 * Mebi),
            Tokens = settings.Integer("Tokens", 1, 10_000, 1000),
            LeaseJobs = settings.Integer("LeaseJobs", 1, JobLimits.MaxJobsPerLease, 1000),
            LeaseBytes = settings.Integer("LeaseBytes", 1024, 64 * Mebi, 8 * Mebi),
            KeyBytes = settings.Integer("KeyBytes", 1, JobLimits.MaxKeyBytes, 256),
            Tags = settings.Integer("Tags", 0, JobLimits.MaxTags, 100),
            TagBytes = settings.Integer("TagBytes", 1, 512, 64),
            Headers = settings.Integer("Headers", 0, JobLimits.MaxTags, 32),
            HeaderBytes = settings.Integer("HeaderBytes", 0, 16_384, 4096),
            WaitMs = settings.Long("WaitMs", 0, 600_000, 60_000),
            MinLeaseMs = settings.Long("MinLeaseMs", 1, 60_000, 100),
            MaxLeaseMs = settings.Long("MaxLeaseMs", 60_000, RequestLimits.MaxDurationMs, 12L * 3600 * 1000),
        };
        settings.RefuseUnknown();
        return limits;
    }

    private static void CheckTogether(SettingsSection settings, ServerOptions options)
    {
        if (!options.Http.IsLoopback && !options.AllowAnonymous)
        {
            throw new SettingsException(
                $"{settings.PathOf("Http")} is \"{options.Http.Text}\", which others can reach without a token; "
                + $"set {settings.PathOf("AllowAnonymous")} to true if that is meant, or use a loopback address such as http://127.0.0.1:8080.");
        }

        if (options.Members.Count is 0 or > 9)
        {
            throw new SettingsException($"{settings.PathOf("Members")} has {options.Members.Count} members; it must be {MembersRule} with 1 to 9 members.");
        }

        for (int i = 0; i < options.Members.Count; i++)
        {
            MemberSetting member = options.Members[i];
            MemberSetting? other = options.Members.Take(i).FirstOrDefault(m => m.Id == member.Id || m.Peer == member.Peer);
            if (other is null) continue;
            string which = other.Id == member.Id ? $"Id is \"{member.Id}\"" : $"Peer is \"{member.Peer}\"";
            throw new SettingsException($"{settings.PathOf($"Members:{i}")}:{which}, as another member's; each must be different.");
        }

        if (options.Members.All(member => member.Id != options.NodeId))
        {
            string ids = string.Join(", ", options.Members.Select(member => member.Id));
            throw new SettingsException($"{settings.PathOf("NodeId")} is \"{options.NodeId}\"; it must be one of the members' ids ({ids}).");
        }
    }

    private static bool IsName(string text) => QueueName.IsValid(System.Text.Encoding.UTF8.GetBytes(text));

    private static bool IsHostAndPort(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)) return false;
        string host = text[..colon];
        bool isV6 = host.StartsWith('[') && host.EndsWith(']');
        return port <= 65_535 && Uri.CheckHostName(isV6 ? host[1..^1] : host) != UriHostNameType.Unknown && (isV6 || !host.Contains(':'));
    }

    private static bool IsHttpUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/";
}
