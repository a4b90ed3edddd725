using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using RaftQueue.Client;

namespace RaftQueue.Commands;

/// <summary>
/// Runs a command on a job: a string payload goes to its standard input as plain text, other JSON as JSON, bytes as they are, and
/// replaces {} in its arguments.
/// </summary>
internal sealed partial class ChildCommand(IReadOnlyList<string> command)
{
    private const int MostOutput = 1 << 20;
    private const int MostError = 4096;
    private const int SigTerm = 15;
    private static readonly TimeSpan KillAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a finished command's output may stay open in the hands of what it left behind.</summary>
    private static readonly TimeSpan PipePatience = TimeSpan.FromSeconds(2);

    /// <exception cref="Win32Exception">The command cannot be started.</exception>
    public async Task<ChildResult> RunAsync(Job job, CancellationToken cancel)
    {
        byte[] input = Input(job, out string placeholder);
        using Process process = Start(job, placeholder);
        using var output = new MemoryStream();
        var error = new ByteTail(MostError);
        Task reading = Task.WhenAll(
            ReadAsync(process.StandardOutput.BaseStream, bytes => output.Write(bytes[..Math.Min(bytes.Length, (int)(MostOutput + 1 - output.Length))])),
            ReadAsync(process.StandardError.BaseStream, error.Add),
            WriteAsync(process.StandardInput.BaseStream, input));
        bool wasStopped = !await ExitedAsync(process, cancel);
        await Task.WhenAny(reading, Task.Delay(PipePatience, CancellationToken.None));
        lock (output)
        {
            byte[] written = output.ToArray();
            bool isCut = written.Length > MostOutput;
            return new ChildResult(wasStopped ? null : process.ExitCode, isCut ? written[..MostOutput] : written, isCut, error.ToArray());
        }
    }

    private static byte[] Input(Job job, out string placeholder)
    {
        if (job.PayloadBytes is { } bytes)
        {
            placeholder = Convert.ToBase64String(bytes);
            return bytes;
        }

        JsonText payload = job.Payload ?? default;
        placeholder = payload.TryGetString(out string? text) ? text : payload.Text;
        return Encoding.UTF8.GetBytes(placeholder);
    }

    private Process Start(Job job, string placeholder)
    {
        var start = new ProcessStartInfo(command[0].Replace("{}", placeholder, StringComparison.Ordinal))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument.Replace("{}", placeholder, StringComparison.Ordinal));
        start.Environment["RAFTQUEUE_JOB_ID"] = job.Id;
        start.Environment["RAFTQUEUE_QUEUE"] = job.Queue;
        foreach (string prefix in new[] { "RAFTQUEUE", "RAFTQUEUE_JOB" })
        {
            start.Environment[prefix + "_ATTEMPT"] = $"{job.Attempt}";
            start.Environment[prefix + "_FENCE"] = $"{job.Lease!.Fence}";
        }

        return Process.Start(start) ?? throw new Win32Exception($"{start.FileName} did not start.");
    }

    private static async Task ReadAsync(Stream stream, SpanAction take)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(32 * 1024);
        try
        {
            while (await stream.ReadAsync(buffer) is var read && read > 0)
            {
                take(buffer.AsSpan(0, read));
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The process was given up while something that it started still held the pipe.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task WriteAsync(Stream stream, byte[] input)
    {
        try
        {
            await stream.WriteAsync(input);
            stream.Close();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // A command need not read its input.
        }
    }

    /// <summary>Waits for the end; when cancelled, asks the command to stop, then kills it and what it started. False when cancelled.</summary>
    private static async Task<bool> ExitedAsync(Process process, CancellationToken cancel)
    {
        try
        {
            await process.WaitForExitAsync(cancel);
            return true;
        }
        catch (OperationCanceledException)
        {
            _ = Kill(process.Id, SigTerm);
        }

        using var patience = new CancellationTokenSource(KillAfter);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        return false;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    private delegate void SpanAction(ReadOnlySpan<byte> bytes);
}
