using System.Globalization;
using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// DIR/identity: lines "key=value" that a person can read, the last one a CRC32C of those before. Always replaced whole by
/// a rename. Holds the directory's lock until it is disposed.
/// </summary>
public sealed class NodeIdentityFile : IDisposable
{
    private const string Name = "identity";
    private const string NewName = "identity.new";
    private const string Format = "raftqueue-identity-1";

    private readonly IDisposable? _lock;

    private NodeIdentityFile(NodeIdentity identity, IDisposable? directoryLock)
    {
        Identity = identity;
        _lock = directoryLock;
    }

    /// <summary>With the incarnation and with this start's boot counter, both durable.</summary>
    public NodeIdentity Identity { get; }

    public static bool Exists(IDisk disk, string directory) => disk.FileExists(Path.Combine(directory, Name));

    /// <summary>
    /// Opens the identity of a directory, or makes it (and blank hard states, before anything else) when the directory is new.
    /// Open it before the log. Throws <see cref="NodeIdentityMismatchException"/> when <paramref name="configured"/> differs
    /// in cluster, node or shards, <see cref="StorageDamagedException"/> when the file is bad, or missing beside a log, and
    /// <see cref="DirectoryInUseException"/> when another process has the directory.
    /// </summary>
    public static NodeIdentityFile Open(IDisk disk, string directory, NodeIdentity configured, IRandomSource random)
    {
        IDisposable? directoryLock = (disk as IDirectoryLocker)?.LockDirectory(directory);
        try
        {
            disk.CreateDirectory(directory);
            NodeIdentity stored = Read(disk, directory) ?? Make(disk, directory, configured, random);
            RequireSame("ClusterId", stored.ClusterId, configured.ClusterId, directory);
            RequireSame("NodeId", stored.NodeId, configured.NodeId, directory);
            RequireSame("Shards", stored.Shards, configured.Shards, directory);
            NodeIdentity booted = stored with { BootCounter = stored.BootCounter + 1, Durability = configured.Durability };
            Replace(disk, directory, booted);
            return new NodeIdentityFile(booted, directoryLock);
        }
        catch
        {
            directoryLock?.Dispose();
            throw;
        }
    }

    /// <summary>What stands in the file; null when there is none. Throws <see cref="StorageDamagedException"/> when it is bad.</summary>
    public static NodeIdentity? Read(IDisk disk, string directory)
    {
        string path = Path.Combine(directory, Name);
        if (!disk.FileExists(path)) return null;
        using IDiskFile file = disk.Open(path, create: false);
        byte[] content = new byte[Math.Min(file.Length, WalFormat.BlockBytes)];
        int read = file.ReadAt(0, content);
        return TryParse(content.AsSpan(0, read)) ?? throw new StorageDamagedException($"'{path}' is not a whole identity file");
    }

    public void Dispose() => _lock?.Dispose();

    private static NodeIdentity Make(IDisk disk, string directory, NodeIdentity configured, IRandomSource random)
    {
        if (disk.ListFiles(WalFormat.WalDirectory(directory)).Any(name => SegmentHeader.SequenceOf(name) is not null))
        {
            throw new StorageDamagedException($"'{directory}' holds a log and no identity: it cannot be told whose votes it holds");
        }

        Invariant.That(
            !configured.ClusterId.AsSpan().ContainsAny('\n', '\r') && configured.ClusterId.Length <= 256, "a ClusterId is one short line");
        HardStateFile.Create(disk, directory, configured.Shards);
        ulong drawn;
        do
        {
            drawn = random.NextUInt64();
        }
        while (drawn == 0);

        return configured with { Incarnation = new Incarnation(drawn), BootCounter = 0 };
    }

    private static void RequireSame<T>(string setting, T stored, T configured, string directory)
    {
        if (EqualityComparer<T>.Default.Equals(stored, configured)) return;
        throw new NodeIdentityMismatchException($"{setting} is '{configured}', but '{directory}' was made with '{stored}'");
    }

    private static void Replace(IDisk disk, string directory, NodeIdentity identity)
    {
        string fresh = Path.Combine(directory, NewName);
        byte[] content = Encode(identity);
        using (IDiskFile file = disk.Open(fresh, create: true))
        {
            file.SetLength(0);
            file.WriteAt(0, content);
            file.DataSync();
        }

        disk.Rename(fresh, Path.Combine(directory, Name));
        disk.SyncDirectory(directory);
    }

    private static byte[] Encode(NodeIdentity identity)
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"format={Format}\ncluster={identity.ClusterId}\nnode={identity.NodeId}\nincarnation={identity.Incarnation}\nshards={identity.Shards}\ndurability={identity.Durability}\nboot={identity.BootCounter}\n");
        return Encoding.UTF8.GetBytes($"{text}crc32c={Crc32C.Compute(Encoding.UTF8.GetBytes(text)):x8}\n");
    }

    private static NodeIdentity? TryParse(ReadOnlySpan<byte> content)
    {
        int crcLine = content.LastIndexOf("crc32c="u8);
        if (crcLine < 0) return null;
        string expected = $"crc32c={Crc32C.Compute(content[..crcLine]):x8}\n";
        if (Encoding.UTF8.GetString(content[crcLine..]) != expected) return null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(content[..crcLine]).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) values[line[..equals]] = line[(equals + 1)..];
        }

        return values.GetValueOrDefault("format") == Format
            && values.TryGetValue("cluster", out string? cluster)
            && values.TryGetValue("durability", out string? durability)
            && int.TryParse(values.GetValueOrDefault("node"), CultureInfo.InvariantCulture, out int node)
            && int.TryParse(values.GetValueOrDefault("shards"), CultureInfo.InvariantCulture, out int shards)
            && long.TryParse(values.GetValueOrDefault("boot"), CultureInfo.InvariantCulture, out long boot)
            && ulong.TryParse(
                values.GetValueOrDefault("incarnation"), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong incarnation)
            ? new NodeIdentity
            {
                ClusterId = cluster,
                NodeId = new NodeId(node),
                Incarnation = new Incarnation(incarnation),
                Shards = shards,
                Durability = durability,
                BootCounter = boot,
            }
            : null;
    }
}
