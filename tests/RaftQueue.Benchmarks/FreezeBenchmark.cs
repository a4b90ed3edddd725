using System.Diagnostics;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Benchmarks;

/// <summary>How long apply stops for a freeze, with all pages changed and with few, and how long it takes to settle.</summary>
internal static class FreezeBenchmark
{
    public static void Run(string directory, int pages, int residentPages)
    {
        var disk = new LinuxDisk();
        disk.CreateDirectory(directory);
        using CheckpointFile file = CheckpointFile.OpenOrCreate(disk, Path.Combine(directory, "checkpoint"), new CheckpointOptions());
        using PageStore store = PageStore.Create(new PageStoreOptions { MaxResidentPages = residentPages }, file);
        while (store.AllocatedPages < pages) store.Allocate();
        // The first round is small: it compiles what the others run.
        for (int round = 0; round < 5; round++)
        {
            int changed = round % 2 == 1 ? pages : 100;
            for (uint page = 1; page <= changed; page++) Touch(store, page);
            long begin = Stopwatch.GetTimestamp();
            FrozenPages frozen = store.Freeze(new CheckpointInfo { Index = new LogIndex(round + 1), Term = new Term(1) });
            double freezeMs = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            var meter = new Meter();
            using CheckpointWriter writer = file.BeginWrite(frozen);
            while (writer.RunOnce())
            {
            }

            writer.Commit();
            double writeMs = meter.WallMs;
            begin = Stopwatch.GetTimestamp();
            bool open = store.IsFrozen;
            double settleMs = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            Meter.Tell(
                $"{changed} of {pages} pages changed: freeze {freezeMs:F3} ms, written in {writeMs:F0} ms (CPU {meter.CpuMs:F0} ms,"
                + $" {writer.BlocksWritten} blocks), settled in {settleMs:F3} ms, {(open ? "not over" : "over")},"
                + $" file {file.FileBytes >> 20} MiB, resident {Meter.ResidentMiB} MiB");
        }

        Meter.Tell($"peak {Meter.PeakMiB} MiB; {store.Counters}");
    }

    private static void Touch(PageStore store, uint page)
    {
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Write);
        handle.Write[(int)(page % 4096)]++;
    }
}
