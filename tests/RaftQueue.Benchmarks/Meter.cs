using System.Diagnostics;
using System.Globalization;

namespace RaftQueue.Benchmarks;

/// <summary>Wall and CPU time of a piece of work, and what Linux says of the process.</summary>
internal sealed class Meter
{
    private readonly Stopwatch _wall = Stopwatch.StartNew();
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly long _read = Status("/proc/self/io", "rchar:");

    public double WallMs => _wall.Elapsed.TotalMilliseconds;

    public double CpuMs => (Process.GetCurrentProcess().TotalProcessorTime - _cpu).TotalMilliseconds;

    /// <summary>Bytes that read calls returned.</summary>
    public long ReadBytes => Status("/proc/self/io", "rchar:") - _read;

    /// <summary>Resident memory now, MiB.</summary>
    public static long ResidentMiB => Status("/proc/self/status", "VmRSS:") / 1024;

    /// <summary>The most that was ever resident, MiB.</summary>
    public static long PeakMiB => Status("/proc/self/status", "VmHWM:") / 1024;

    public static void Tell(string line) => Console.WriteLine(line);

    private static long Status(string path, string name)
    {
        string line = File.ReadLines(path).First(each => each.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
