using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>Readers lose their checkpoint when space is needed: they are told first, and only then its slots serve somebody else.</summary>
public sealed class ReaderRevocationTests
{
    private const int Pages = 60;

    [Fact]
    public void WhatAReaderReadsIsNobodyElsesUntilItIsRevoked()
    {
        var world = new CheckpointWorld(81);
        var disk = new CountingDisk(world.Disk);
        world.File.Dispose();
        using CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
        using PageStore store = PageStore.Create(new PageStoreOptions(), file);
        for (int i = 0; i < Pages; i++) store.Allocate();
        Checkpoint(file, store, 1);
        using CheckpointReader reader = file.OpenReader()!;
        Checkpoint(file, store, 2);
        Checkpoint(file, store, 3);
        long busy = file.Slots.BusySlots;

        using var reading = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        disk.BeforeRead = () =>
        {
            reading.Set();
            goOn.Wait();
        };
        var name = new PageName(0, 5, PageHash.OfPage(Content(1)));
        bool[] found = new bool[1];
        var reads = new Thread(() => reader.Read([name], found, new byte[PageStore.PageSize]));
        var makesSpace = new Thread(() => file.TryMakeSpace());
        reads.Start();
        reading.Wait();
        disk.BeforeRead = null;
        makesSpace.Start();
        SpinWait.SpinUntil(() => makesSpace.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
        file.OpenReader()!.Dispose(); // whereupon it is counted anew what is kept
        long whileReading = file.Slots.BusySlots;
        goOn.Set();
        reads.Join();
        makesSpace.Join();

        Assert.Equal(busy, whileReading);
        Assert.True(found[0]);
        Assert.True(reader.IsRevoked);
        Assert.True(file.Slots.BusySlots < busy - (Pages / 2), $"{file.Slots.BusySlots} of {busy} slots are busy");
    }

    private static byte[] Content(byte fill)
    {
        byte[] content = new byte[PageStore.PageSize];
        content[0] = fill;
        return content;
    }

    private static void Checkpoint(CheckpointFile file, PageStore store, byte fill)
    {
        for (uint page = 1; page <= Pages; page++)
        {
            using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Write);
            handle.Write[0] = fill;
        }

        using CheckpointWriter writer = file.BeginWrite(store.Freeze(CheckpointWorld.InfoFor(fill)));
        while (writer.RunOnce())
        {
        }

        writer.Commit();
    }
}
