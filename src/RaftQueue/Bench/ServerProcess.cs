using System.Globalization;
using System.Net;

namespace RaftQueue.Bench;

/// <summary>A server that runs on this machine, as Linux shows it in /proc.</summary>
internal sealed record ServerProcess(int Id, Uri Address)
{
    private const string ListeningState = "0A";
    private const double TicksPerSecond = 100;

    /// <summary>The processes that listen at these addresses; those that are elsewhere or belong to somebody else are left out.</summary>
    public static IReadOnlyList<ServerProcess> Find(IEnumerable<Uri> addresses)
    {
        var sockets = new Dictionary<string, Uri>(StringComparer.Ordinal);
        foreach (Uri address in addresses.Where(IsHere))
        {
            foreach (string inode in ListeningInodes(address.Port)) sockets[$"socket:[{inode}]"] = address;
        }

        if (sockets.Count == 0) return [];
        var found = new Dictionary<Uri, ServerProcess>();
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int id)) continue;
            foreach (string target in OpenFiles(directory))
            {
                if (sockets.TryGetValue(target, out Uri? address)) found.TryAdd(address, new ServerProcess(id, address));
            }
        }

        return [.. found.Values.OrderBy(server => server.Address.Port)];
    }

    /// <summary>User and system time since the process started; null when it is gone.</summary>
    public TimeSpan? ProcessorTime()
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            long ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return TimeSpan.FromSeconds(ticks / TicksPerSecond);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Resident memory in bytes; null when the process is gone.</summary>
    public long? ResidentBytes()
    {
        try
        {
            string? line = File.ReadLines($"/proc/{Id}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? null : 1024 * long.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsHere(Uri address) =>
        OperatingSystem.IsLinux() && (address.IsLoopback || (IPAddress.TryParse(address.Host, out IPAddress? ip) && IPAddress.IsLoopback(ip)));

    private static IEnumerable<string> ListeningInodes(int port)
    {
        string end = $":{port:X4}";
        foreach (string table in new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists))
        {
            foreach (string line in File.ReadLines(table).Skip(1))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == ListeningState && fields[1].EndsWith(end, StringComparison.Ordinal)) yield return fields[9];
            }
        }
    }

    private static IReadOnlyList<string> OpenFiles(string process)
    {
        try
        {
            return [.. Directory.EnumerateFiles(Path.Combine(process, "fd")).Select(file => new FileInfo(file).LinkTarget).OfType<string>()];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
