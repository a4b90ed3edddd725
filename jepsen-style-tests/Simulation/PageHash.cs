using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>All that is in a page store as one number.</summary>
internal static class PageHash
{
    /// <summary>Every page is in memory: to look at one touches no disk.</summary>
    public static bool CanBeTaken(PageStore pages) => !pages.IsFrozen && pages.Counters.ResidentPages >= pages.AllocatedPages;

    public static ulong Of(PageStore pages)
    {
        ulong hash = (ulong)pages.AllocatedPages;
        long end = pages.AllocatedPages + pages.FreePages;
        for (uint number = 1; number <= end; number++)
        {
            var page = new PageNumber(number);
            if (!pages.IsAllocated(page)) continue;
            using PageHandle handle = pages.Pin(page, PageIntent.Read);
            hash = SplitMix64.Mix(hash ^ (((ulong)number << 32) | Crc32C.Compute(handle.Read)));
        }

        return hash;
    }
}
