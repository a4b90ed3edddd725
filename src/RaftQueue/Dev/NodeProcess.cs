using System.Diagnostics;
using RaftQueue.Commands;

namespace RaftQueue.Dev;

/// <summary>
/// One node as a process of its own. Its standard input is a pipe that this process holds open: when this process ends, however it
/// ends, the node sees the end of its input and stops.
/// </summary>
internal sealed class NodeProcess : IDisposable
{
    private const int MostTail = 20;

    private readonly Process _process;
    private readonly Queue<string> _tail = new();
    private readonly Task _printed;

    private NodeProcess(int node, Process process, string logFile)
    {
        Node = node;
        _process = process;
        var log = new StreamWriter(new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
        _printed = PrintAsync(log);
    }

    public int Node { get; }

    public int ProcessId => _process.Id;

    /// <summary>The last lines that the node printed.</summary>
    public IReadOnlyList<string> Tail
    {
        get
        {
            lock (_tail) return [.. _tail];
        }
    }

    public static NodeProcess Start(DevFiles files, int node)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Run as `dotnet raftqueue.dll`, the process is dotnet and the program its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "raftqueue.dll"));
        foreach (string argument in new[] { "serve", "--config", files.ConfigFile(node), ServeCommand.StopWithInput }) start.ArgumentList.Add(argument);
        Process process = Process.Start(start) ?? throw new IOException($"{start.FileName} did not start.");
        return new NodeProcess(node, process, files.LogFile(node));
    }

    /// <summary>Waits for the node's end and gives its exit code; 128 plus the signal's number when a signal ended it.</summary>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync();
        await _printed;
        return _process.ExitCode;
    }

    /// <summary>Asks the node to stop: hands over leadership, finishes what is under way, exits.</summary>
    public void AskToStop()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException) when (_process.HasExited)
        {
            // It stopped before it was asked.
        }
    }

    public void Kill()
    {
        if (!_process.HasExited) _process.Kill();
    }

    public void Dispose() => _process.Dispose();

    private async Task PrintAsync(StreamWriter log)
    {
        using var gate = new SemaphoreSlim(1);
        await using (log)
        {
            await Task.WhenAll(CopyAsync(_process.StandardOutput, log, gate), CopyAsync(_process.StandardError, log, gate));
        }
    }

    private async Task CopyAsync(StreamReader reader, StreamWriter log, SemaphoreSlim gate)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_tail)
            {
                _tail.Enqueue(line);
                if (_tail.Count > MostTail) _tail.Dequeue();
            }

            await gate.WaitAsync();
            try
            {
                await log.WriteLineAsync(line);
            }
            finally
            {
                gate.Release();
            }
        }
    }
}
