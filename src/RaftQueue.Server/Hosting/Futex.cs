using System.Runtime.InteropServices;

namespace RaftQueue.Server.Hosting;

/// <summary>
/// Linux futex(2), private to the process: puts a thread to sleep on a word and wakes it with one system call each. The runtime's own
/// monitors and events take about four calls for a wait and spin before it. Safe from any thread.
/// </summary>
internal static unsafe partial class Futex
{
    private const int WaitPrivate = 0 | 128;
    private const int WakePrivate = 1 | 128;
    private const long MicrosecondsPerSecond = 1_000_000;

    /// <summary>The call's number, which differs between processors; 0 where this class does not know it.</summary>
    private static readonly nint Call = !OperatingSystem.IsLinux() || !Environment.Is64BitProcess ? 0
        : RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 202,
            Architecture.Arm64 or Architecture.RiscV64 => 98,
            _ => 0,
        };

    public static bool IsSupported => Call != 0;

    /// <summary>
    /// Sleeps while <paramref name="word"/> is <paramref name="value"/>, until a <see cref="Wake"/> or for the time given. May return
    /// for no reason. The word must not move in memory while anybody uses it.
    /// </summary>
    public static void Wait(int* word, int value, long microseconds)
    {
        var time = new TimeSpec(microseconds / MicrosecondsPerSecond, microseconds % MicrosecondsPerSecond * 1000);
        SystemCall(Call, word, WaitPrivate, value, &time);
    }

    /// <summary>Wakes one thread that sleeps on the word.</summary>
    public static void Wake(int* word) => SystemCall(Call, word, WakePrivate, 1, null);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, int* word, nint operation, nint value, TimeSpec* time);

    /// <summary>struct timespec of a 64-bit Linux.</summary>
    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
