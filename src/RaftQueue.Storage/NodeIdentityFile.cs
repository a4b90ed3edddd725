using System.Globalization;
using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// DIR/identity and DIR/identity-copy: lines "key=value" that a person can read, the last one a CRC32C of those before, then empty
/// lines up to 4 KiB. Made whole by a rename; each start overwrites one after the other in place, so that one is whole at any time
/// and a start takes no room on the disk. Holds the directory's lock until it is disposed.
/// </summary>
public sealed class NodeIdentityFile : IDisposable
{
    private const string Name = "identity";
    private const string CopyName = "identity-copy";
    private const string NewName = "identity.new";
    private const byte Padding = (byte)'\n';
    private const string Format = "raftqueue-identity-1";

    private readonly IDisposable? _lock;

    private NodeIdentityFile(NodeIdentity identity, IDisposable? directoryLock)
    {
        Identity = identity;
        _lock = directoryLock;
    }

    /// <summary>With the incarnation and with this start's boot counter, both durable.</summary>
    public NodeIdentity Identity { get; }

    public static bool Exists(IDisk disk, string directory) =>
        disk.FileExists(Path.Combine(directory, Name)) || disk.FileExists(Path.Combine(directory, CopyName));

    /// <summary>
    /// Opens the identity of a directory, or makes it (and blank hard states, before anything else) when the directory is new.
    /// Open it before the log. Throws <see cref="NodeIdentityMismatchException"/> when <paramref name="configured"/> differs
    /// in cluster, node or shards, <see cref="StorageDamagedException"/> when both copies are bad, or missing beside a log, and
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
            Store(disk, directory, booted);
            return new NodeIdentityFile(booted, directoryLock);
        }
        catch
        {
            directoryLock?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What stands in the newest whole copy; null when there is none at all. Throws <see cref="StorageDamagedException"/> when none is whole.
    /// </summary>
    /// <param name="disk">Where it is.</param>
    /// <param name="directory">The data directory.</param>
    /// <param name="problems">Told of each copy that is missing or not whole, where given.</param>
    public static NodeIdentity? Read(IDisk disk, string directory, ICollection<string>? problems = null)
    {
        if (!Exists(disk, directory)) return null;
        NodeIdentity? newest = null;
        foreach (string name in new[] { Name, CopyName })
        {
            string path = Path.Combine(directory, name);
            NodeIdentity? stored = ReadCopy(disk, path);
            if (stored is null) problems?.Add($"'{path}' is missing or not a whole identity file");
            else if (newest is null || stored.BootCounter > newest.BootCounter) newest = stored;
        }

        return newest ?? throw new StorageDamagedException($"'{Path.Combine(directory, Name)}' and its copy are not whole identity files");
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

    private static NodeIdentity? ReadCopy(IDisk disk, string path)
    {
        if (!disk.FileExists(path)) return null;
        using IDiskFile file = disk.Open(path, create: false);
        byte[] content = new byte[Math.Min(file.Length, WalFormat.BlockBytes)];
        int read = file.ReadAt(0, content);
        return TryParse(content.AsSpan(0, read));
    }

    /// <summary>Both copies hold this when it returns; a crash before leaves one that is whole, of this start or the one before.</summary>
    private static void Store(IDisk disk, string directory, NodeIdentity identity)
    {
        byte[] content = Encode(identity);
        string first = Path.Combine(directory, Name);
        if (!disk.FileExists(first)) Make(disk, directory, content);

        // The one that may be bad goes first: the other may be all that there is.
        bool firstIsWhole = ReadCopy(disk, first) is not null;
        Overwrite(disk, directory, firstIsWhole ? CopyName : Name, content);
        Overwrite(disk, directory, firstIsWhole ? Name : CopyName, content);
    }

    private static void Make(IDisk disk, string directory, byte[] content)
    {
        string fresh = Path.Combine(directory, NewName);
        using (IDiskFile file = disk.Open(fresh, create: true))
        {
            file.SetLength(0);
            file.WriteAt(0, content);
            file.DataSync();
        }

        disk.Rename(fresh, Path.Combine(directory, Name));
        disk.SyncDirectory(directory);
    }

    private static void Overwrite(IDisk disk, string directory, string name, byte[] content)
    {
        string path = Path.Combine(directory, name);
        bool made = !disk.FileExists(path);
        using (IDiskFile file = disk.Open(path, create: true))
        {
            file.WriteAt(0, content);
            file.DataSync();
        }

        if (made) disk.SyncDirectory(directory);
    }

    private static byte[] Encode(NodeIdentity identity)
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"format={Format}\ncluster={identity.ClusterId}\nnode={identity.NodeId}\nincarnation={identity.Incarnation}\nshards={identity.Shards}\ndurability={identity.Durability}\nboot={identity.BootCounter}\n");
        byte[] content = new byte[WalFormat.BlockBytes];
        content.AsSpan().Fill(Padding);
        Encoding.UTF8.GetBytes($"{text}crc32c={Crc32C.Compute(Encoding.UTF8.GetBytes(text)):x8}\n", content);
        return content;
    }

    private static NodeIdentity? TryParse(ReadOnlySpan<byte> content)
    {
        int crcLine = content.LastIndexOf("crc32c="u8);
        if (crcLine < 0) return null;
        string expected = $"crc32c={Crc32C.Compute(content[..crcLine]):x8}\n";
        ReadOnlySpan<byte> rest = content[crcLine..];
        if (rest.Length < expected.Length || Encoding.UTF8.GetString(rest[..expected.Length]) != expected) return null;
        if (rest[expected.Length..].ContainsAnyExcept(Padding)) return null;
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
