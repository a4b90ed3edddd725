using System.Runtime.InteropServices;

namespace RaftQueue.Benchmarks;

/// <summary>CPU time of the thread that asks: what it worked, however many others share the machine.</summary>
internal static partial class ThreadTime
{
    private const int ThreadCpuClock = 3;

    public static double Ms
    {
        get
        {
            if (GetTime(ThreadCpuClock, out Time time) != 0) throw new InvalidOperationException("the thread's clock cannot be read");
            return (time.Seconds * 1e3) + (time.Nanoseconds / 1e6);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
