using System.Globalization;
using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>Appends what each node answers to <c>GET /v1/cluster</c> to a file, a line with the time each second, on a thread of its own.</summary>
internal sealed class ClusterSamples : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster;
    private readonly string _directory;
    private readonly ManualResetEventSlim _over = new();
    private readonly Thread _thread;

    /// <param name="cluster">Whose nodes; those that do not run are left out.</param>
    /// <param name="directory">Gets <c>cluster1.jsonl</c> and so on.</param>
    public ClusterSamples(Cluster cluster, string directory)
    {
        _cluster = cluster;
        _directory = directory;
        _thread = new Thread(Run);
        _thread.Start();
    }

    public void Dispose()
    {
        _over.Set();
        _thread.Join();
        _over.Dispose();
    }

    private void Run()
    {
        StreamWriter[] files = [.. _cluster.All.Select(node => new StreamWriter(Path.Combine(_directory, $"cluster{node.Id}.jsonl")))];
        while (!_over.Wait(Pause))
        {
            for (int i = 0; i < files.Length; i++)
            {
                if (_cluster.All[i].TryGet("/v1/cluster", out byte[] body)) Append(files[i], body);
            }
        }

        foreach (StreamWriter file in files) file.Dispose();
    }

    private static void Append(StreamWriter file, byte[] body)
    {
        file.Write("{\"at\":\"");
        file.Write(DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture));
        file.Write("\",\"cluster\":");
        file.Write(System.Text.Encoding.UTF8.GetString(body).ReplaceLineEndings(""));
        file.WriteLine('}');
        file.Flush();
    }
}
