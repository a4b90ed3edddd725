using System.Net;
using System.Net.Sockets;

namespace RaftQueue.Tests;

/// <summary>A directory and ports that nobody else uses.</summary>
internal sealed class Scratch : IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("raftqueue-test-").FullName;

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    public string Path(string name) => System.IO.Path.Combine(Directory, name);

    /// <summary>The first of so many ports in a row that are free now.</summary>
    public static int FreePorts(int count)
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            int first = Random.Shared.Next(15_000, 31_000);
            if (Enumerable.Range(first, count).All(IsFree)) return first;
        }

        throw new InvalidOperationException($"No {count} free ports in a row.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
