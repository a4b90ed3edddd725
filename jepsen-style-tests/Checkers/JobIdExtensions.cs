using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

internal static class JobIdExtensions
{
    /// <summary>The job without its slot, which the log does not tell.</summary>
    public static JobId Key(this JobId id) => id with { Slot = 0 };
}
