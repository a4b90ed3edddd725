namespace RaftQueue.Primitives;

/// <summary>A system call on a file failed. <see cref="Errno"/> is Linux's number (EIO 5, ENOSPC 28, EDQUOT 122).</summary>
public sealed class DiskException : IOException
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    public DiskException()
    {
    }

    public DiskException(string message)
        : base(message)
    {
    }

    public DiskException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public DiskException(string call, string path, int errno)
        : base($"{call} of '{path}' failed: errno {errno}")
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The system call that failed, for example "fdatasync".</summary>
    public string Call { get; } = "";

    public int Errno { get; }

    /// <summary>What was written before may be lost: not a failure to take space, whatever its number.</summary>
    public bool IsSync => Call is "fdatasync" or "fsync";

    /// <summary>No space or no quota left: taking space failed, nothing that was there before is in doubt.</summary>
    public bool IsDiskFull => Errno is NoSpace or QuotaExceeded;
}
