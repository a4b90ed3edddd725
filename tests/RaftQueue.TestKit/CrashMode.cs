namespace RaftQueue.TestKit;

/// <summary>How a machine goes away.</summary>
public enum CrashMode
{
    /// <summary>Only the process died: what it wrote can still be read, but is not durable before it is synced again.</summary>
    ProcessDeath,

    /// <summary>The machine lost power: each unsynced sector and directory operation is kept, lost or torn on its own.</summary>
    PowerLoss,
}
