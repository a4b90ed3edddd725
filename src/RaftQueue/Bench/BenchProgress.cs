using System.Diagnostics;

namespace RaftQueue.Bench;

/// <summary>One line about a run under way, on standard error: over itself on a terminal, else every few seconds.</summary>
internal sealed class BenchProgress(BenchTally tally, BenchOptions options)
{
    private static readonly TimeSpan PeriodInFile = TimeSpan.FromSeconds(5);

    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private long _shown = Stopwatch.GetTimestamp();
    private long _jobs;
    private int _width;

    public void Show()
    {
        TimeSpan since = Stopwatch.GetElapsedTime(_shown);
        if (!_isTerminal && since < PeriodInFile) return;
        long jobs = options.Mode == BenchMode.Enqueue ? tally.Enqueued : tally.Acked;
        string rate = $"{(jobs - _jobs) / since.TotalSeconds:N0} /s";
        string line = $"{tally.Elapsed.TotalSeconds,5:0} s"
            + (options.Mode != BenchMode.Reschedule ? $"  enqueued {tally.Enqueued:N0}" : "")
            + (options.Mode != BenchMode.Enqueue ? $"  done {tally.Acked:N0}" : "") + (options.Jobs is { } all ? $" of {all:N0}" : "") + $"  {rate}";
        _shown = Stopwatch.GetTimestamp();
        _jobs = jobs;
        if (_isTerminal) Console.Error.Write("\r" + line.PadRight(_width));
        else Console.Error.WriteLine(line);
        _width = line.Length;
    }

    /// <summary>Takes the line away.</summary>
    public void End()
    {
        if (_isTerminal && _width > 0) Console.Error.Write("\r" + new string(' ', _width) + "\r");
    }
}
