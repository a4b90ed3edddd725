using System.Buffers.Binary;
using Xunit.Abstractions;

namespace RaftQueue.Pages.Tests;

/// <summary>What the store knows of pages costs what it says, measured where it knows most.</summary>
[Collection(Name)]
public sealed class TableMemoryTests(ITestOutputHelper output)
{
    public const string Name = "alone in the process";

    private const int Pages = 262_000; // nearly all that the entries have room for then
    private const int Resident = 3_000;

    /// <summary>
    /// All pages stand in a checkpoint; all changed and are in the one that is being written, whose table is nearly done, and all
    /// changed again and were evicted; of what is frozen, some in every block of the table was in memory when it changed.
    /// </summary>
    [Fact]
    public void APageCostsNoMoreThanSaidWhileAllChangeDuringACheckpoint()
    {
        using var disk = new ShortPagesDisk(5 * Pages);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using CheckpointFile file = CheckpointFile.OpenOrCreate(disk, "/checkpoint", new CheckpointOptions());
        long table = (long)Pages * PageStore.TableBytesPerPage / PageStore.PageSize;
        using PageStore store = PageStore.Create(new PageStoreOptions { MaxResidentPages = (int)table + Resident }, file);
        for (int i = 1; i < Pages; i++) store.Allocate();
        ChangeAll(store, 1);
        using (CheckpointWriter first = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(1))))
        {
            while (first.RunOnce())
            {
            }

            first.Commit();
        }

        while (store.Settle())
        {
        }

        ChangeAll(store, 2);
        for (uint page = 40; page < Pages; page += 250) Change(store, page, 3); // these are in memory
        using CheckpointWriter writer = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(2)));
        ChangeAll(store, 4);
        while (writer.RunOnce())
        {
        }

        Assert.Equal(CheckpointOutcome.Ready, writer.Outcome);
        long entries = (Pages + 72L) * sizeof(ulong); // what room there is, off the managed heap
        double bytes = (GC.GetTotalMemory(forceFullCollection: true) - before + entries) / (double)Pages;
        output.WriteLine($"{bytes:F1} bytes a page");
        Assert.InRange(bytes, PageStore.TableBytesPerPage * 0.8, PageStore.TableBytesPerPage);
        GC.KeepAlive(store);
    }

    private static void ChangeAll(PageStore store, uint value)
    {
        for (uint page = 1; page <= Pages; page++) Change(store, page, value);
    }

    private static void Change(PageStore store, uint page, uint value)
    {
        store.BeginStep();
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Write);
        BinaryPrimitives.WriteUInt64LittleEndian(handle.Write, ((ulong)value << 32) | page);
    }
}
