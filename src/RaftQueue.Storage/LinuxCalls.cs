using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RaftQueue.Storage;

/// <summary>
/// The system calls of the disk, as libc declares them. The runtime's own file classes are not used for anything that
/// must be durable: RandomAccess.FlushToDisk and FileStream.Flush(true) return normally on EIO, ENOSPC and EDQUOT.
/// </summary>
internal static partial class LinuxCalls
{
    private const string Libc = "libc";

    public const int Interrupted = 4;
    public const int NoEntry = 2;
    public const int Exists = 17;
    public const int WouldBlock = 11;
    public const int NotSupported = 95;

    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenCloseOnExec = 0x80000;

    public const int SeekEnd = 2;

    public const int AdviceRandom = 1;
    public const int AdviceWillNeed = 3;
    public const int AdviceDoNotNeed = 4;

    public const int LockExclusiveNonBlocking = 2 | 4;

    /// <summary>
    /// Symbols come from the process itself, as for a C program, and not from one library file: then a preloaded shim that
    /// injects faults is in front, and the name of the C library does not matter.
    /// </summary>
    static LinuxCalls() => NativeLibrary.SetDllImportResolver(
        typeof(LinuxCalls).Assembly,
        static (name, _, _) => name == Libc ? NativeLibrary.GetMainProgramHandle() : IntPtr.Zero);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    [LibraryImport(Libc, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Libc, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int DataSync(SafeFileHandle file);

    [LibraryImport(Libc, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport(Libc, EntryPoint = "pread", SetLastError = true)]
    public static unsafe partial nint ReadAt(SafeFileHandle file, void* buffer, nuint count, long offset);

    [LibraryImport(Libc, EntryPoint = "pwritev", SetLastError = true)]
    public static unsafe partial nint WriteVectorAt(SafeFileHandle file, IoVector* vectors, int count, long offset);

    [LibraryImport(Libc, EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileHandle file, long offset, long length);

    [LibraryImport(Libc, EntryPoint = "posix_fadvise")]
    public static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport(Libc, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport(Libc, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Libc, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport(Libc, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(Libc, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Libc, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);
}
