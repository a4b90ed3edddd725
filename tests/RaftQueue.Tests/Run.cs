using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RaftQueue.Tests;

/// <summary>The built command `raftqueue` as a user runs it: a process of its own.</summary>
internal static partial class Run
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <summary>Far beyond what any step takes; it only keeps a broken build from waiting for ever.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly string Binary = Path.Combine(AppContext.BaseDirectory, "raftqueue");

    public sealed record Result(int Code, string Output, string Error)
    {
        public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        /// <summary>The output of a command that must have succeeded.</summary>
        public string Ok()
        {
            Assert.True(Code == 0, $"exit code {Code}\n{Output}\n{Error}");
            return Output.TrimEnd('\n');
        }
    }

    public static Process Start(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Binary)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static async Task<Result> ToEndAsync(IReadOnlyDictionary<string, string>? environment, string? input, params string[] arguments)
    {
        using Process process = Start(environment, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await ExitAsync(process);
        return new Result(process.ExitCode, await output, await error);
    }

    public static Task<Result> ToEndAsync(params string[] arguments) => ToEndAsync(environment: null, input: null, arguments);

    /// <summary>Waits for the end; a process that does not end is killed and fails the test.</summary>
    public static async Task<int> ExitAsync(Process process)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"Process {process.Id} did not end.", exception);
        }
    }

    public static void Signal(int process, int signal) => Assert.Equal(0, Kill(process, signal));

    public static bool IsAlive(int process) => Kill(process, 0) == 0 && !IsZombie(process);

    /// <summary>Asks again and again until the answer is yes.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!await condition())
        {
            if (Environment.TickCount64 > end) throw new TimeoutException($"It never came about that {what}.");
            await Task.Delay(50);
        }
    }

    private static bool IsZombie(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].TrimStart().StartsWith('Z');
        }
        catch (IOException)
        {
            return true;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
