using System.Runtime;
using System.Runtime.InteropServices;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>What threads use of the machine. Safe from any thread.</summary>
internal static unsafe partial class ProcessUsage
{
    private const int CallingThread = 1; // RUSAGE_THREAD

    /// <summary>Of the calling thread. Zeros where the system does not tell it.</summary>
    public static ThreadUsage OfThread()
    {
        ResourceUsage usage = default;
        long compiling = (long)JitInfo.GetCompilationTime(currentThread: true).TotalMicroseconds;
        long pause = (long)GC.GetTotalPauseDuration().TotalMicroseconds;
        return GetUsage(CallingThread, &usage) != 0
            ? new ThreadUsage(0, 0, 0, compiling, pause)
            : new ThreadUsage(
                ((usage.UserSeconds + usage.SystemSeconds) * 1_000_000) + usage.UserMicroseconds + usage.SystemMicroseconds,
                usage.MajorFaults,
                usage.InvoluntarySwitches,
                compiling,
                pause);
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUsage(int who, ResourceUsage* usage);

    /// <summary>struct rusage of a 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceUsage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
        public fixed long Sizes[4];
        public long MinorFaults;
        public long MajorFaults;
        public fixed long Operations[6];
        public long VoluntarySwitches;
        public long InvoluntarySwitches;
    }
}
