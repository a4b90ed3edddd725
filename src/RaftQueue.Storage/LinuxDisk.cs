using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// The disk of a Linux machine: every call goes to libc, every result is looked at, EINTR is tried again and nothing
/// else is. Files are made with mode 0600, directories with 0700. Safe from any thread.
/// </summary>
public sealed class LinuxDisk : IDisk, IDirectoryLocker
{
    private const int OwnerFile = 0b110_000_000;
    private const int OwnerDirectory = 0b111_000_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, HeldLock> _locks = new(StringComparer.Ordinal);

    public IDiskFile Open(string path, bool create)
    {
        int flags = LinuxCalls.OpenReadWrite | LinuxCalls.OpenCloseOnExec | (create ? LinuxCalls.OpenCreate : 0);
        return new LinuxFile(path, OpenHandle(path, flags));
    }

    public bool FileExists(string path) => File.Exists(path);

    public IReadOnlyList<string> ListFiles(string directory)
    {
        if (!Directory.Exists(directory)) return [];
        var names = new List<string>();
        foreach (string path in Directory.EnumerateFiles(directory))
        {
            names.Add(Path.GetFileName(path));
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public void CreateDirectory(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(full)) return;
        string? parent = Path.GetDirectoryName(full);
        if (parent is not null) CreateDirectory(parent);
        if (LinuxCalls.MakeDirectory(full, OwnerDirectory) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != LinuxCalls.Exists || !Directory.Exists(full)) throw new DiskException("mkdir", full, errno);
        }

        if (parent is not null) SyncDirectory(parent);
    }

    public void Rename(string from, string to)
    {
        if (LinuxCalls.Rename(from, to) != 0) throw new DiskException("rename", from, Marshal.GetLastPInvokeError());
    }

    public void Delete(string path)
    {
        if (LinuxCalls.Unlink(path) == 0) return;
        int errno = Marshal.GetLastPInvokeError();
        if (errno != LinuxCalls.NoEntry) throw new DiskException("unlink", path, errno);
    }

    public void SyncDirectory(string path)
    {
        using SafeFileHandle handle = OpenHandle(path, LinuxCalls.OpenReadOnly | LinuxCalls.OpenCloseOnExec);
        while (LinuxCalls.Sync(handle) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != LinuxCalls.Interrupted) throw new DiskException("fsync", path, errno);
        }
    }

    public long FreeBytes(string path) => new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;

    public IDisposable LockDirectory(string directory)
    {
        string path = Path.Combine(Path.GetFullPath(directory), "lock");
        lock (_gate)
        {
            if (!_locks.TryGetValue(path, out HeldLock? held))
            {
                CreateDirectory(directory);
                held = new HeldLock(this, path, Acquire(path));
                _locks.Add(path, held);
            }

            held.Holders++;
            return new Holder(held);
        }
    }

    private static SafeFileHandle Acquire(string path)
    {
        SafeFileHandle handle = OpenHandle(
            path, LinuxCalls.OpenReadWrite | LinuxCalls.OpenCreate | LinuxCalls.OpenCloseOnExec);
        while (LinuxCalls.Lock(handle, LinuxCalls.LockExclusiveNonBlocking) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno == LinuxCalls.Interrupted) continue;
            handle.Dispose();
            if (errno == LinuxCalls.WouldBlock) throw new DirectoryInUseException($"'{path}' is held by another process");
            throw new DiskException("flock", path, errno);
        }

        return handle;
    }

    private static SafeFileHandle OpenHandle(string path, int flags)
    {
        while (true)
        {
            int descriptor = LinuxCalls.Open(path, flags, OwnerFile);
            if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
            int errno = Marshal.GetLastPInvokeError();
            if (errno != LinuxCalls.Interrupted) throw new DiskException("open", path, errno);
        }
    }

    private void Unlock(HeldLock held)
    {
        lock (_gate)
        {
            held.Holders--;
            if (held.Holders > 0) return;
            _locks.Remove(held.Path);
            held.Handle.Dispose();
        }
    }

    private sealed class HeldLock(LinuxDisk owner, string path, SafeFileHandle handle)
    {
        public LinuxDisk Owner { get; } = owner;

        public string Path { get; } = path;

        public SafeFileHandle Handle { get; } = handle;

        public int Holders { get; set; }
    }

    private sealed class Holder(HeldLock held) : IDisposable
    {
        private HeldLock? _held = held;

        public void Dispose()
        {
            HeldLock? mine = Interlocked.Exchange(ref _held, null);
            mine?.Owner.Unlock(mine);
        }
    }
}
