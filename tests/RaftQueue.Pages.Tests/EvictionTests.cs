using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>What stays in memory and what goes, and how it comes back.</summary>
public sealed class EvictionTests
{
    [Fact]
    public void AListingLongerThanMemoryDoesNotThrowOutWhatEveryStepTouches()
    {
        const int Hot = 12;
        CheckpointWorld world = Filled(51, pages: 2000, residentPages: 100);
        for (int i = 0; i < 400; i++) TouchHot(world, Hot);
        long before = world.Store.Counters.ColdReads;
        for (uint page = 100; page < 2000; page++)
        {
            world.Store.BeginStep();
            world.Model.Read(world.Store, page);
            world.Model.Read(world.Store, page); // again in the same step: no sign that it is needed once more
            TouchHot(world, Hot);
        }

        Assert.Equal(before + 1900, world.Store.Counters.ColdReads);
        world.AssertBounded();
    }

    [Fact]
    public void OpeningReadsNoPageAndAPinReadsOne()
    {
        CheckpointWorld world = Filled(52, pages: 3000, residentPages: 64);
        world.File.Dispose();
        var disk = new CountingDisk(world.Disk);
        CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
        using PageStore store = file.Load(world.StoreOptions);
        Assert.InRange(disk.ReadBytes, 1, 40 * PageStore.PageSize);
        Assert.Equal(3000, store.AllocatedPages);
        Assert.Equal(0, store.Counters.ResidentPages);
        long before = disk.ReadBytes;
        using (store.Pin(new PageNumber(1234), PageIntent.Read)) Assert.Equal(before + PageStore.PageSize, disk.ReadBytes);
        using (store.Pin(new PageNumber(1234), PageIntent.Write)) Assert.Equal(before + PageStore.PageSize, disk.ReadBytes);
        Assert.Equal(3001u, store.Allocate().Value);
    }

    [Fact]
    public void APageThatReadsBackWrongIsToldAndNotServed()
    {
        CheckpointWorld world = Filled(53, pages: 60, residentPages: 16);
        var told = new List<Exception>();
        using PageStore store = world.File.Load(new PageStoreOptions { MaxResidentPages = 16, OnUnreadable = told.Add });
        using (IDiskFile raw = world.Disk.Open(CheckpointWorld.Path, create: false))
        {
            for (long at = 2; at < raw.Length / PageStore.PageSize; at++)
                world.Disk.FlipBit(CheckpointWorld.Path, (at * PageStore.PageSize) + 9, 1);
        }

        CheckpointDamagedException thrown = Assert.Throws<CheckpointDamagedException>(() => Touch(store, 17));
        Assert.Equal(new PageNumber(17), thrown.Damage.Page);
        Assert.Same(thrown, Assert.Single(told));
        Assert.Equal(0, store.LivePins);
    }

    [Fact]
    public void AnEvictedPageThatChangedReadsBackWrongOnlyIfItsSlotDoes()
    {
        CheckpointWorld world = Filled(54, pages: 60, residentPages: 16);
        for (uint page = 1; page <= 60; page++) world.Model.Write(world.Store, page, world.Random);
        Assert.True(world.Store.Counters.EvictionWrites > 0);
        world.Model.AssertHeldBy(world.Store);
        long slots = world.File.FileBytes / PageStore.PageSize;
        for (long at = 2; at < slots; at++) world.Disk.FlipBit(CheckpointWorld.Path, (at * PageStore.PageSize) + 9, 1);
        Assert.Throws<CheckpointDamagedException>(() =>
        {
            for (uint page = 1; page <= 60; page++) Touch(world.Store, page);
        });
    }

    [Fact]
    public void AReadErrorIsNotDamage()
    {
        CheckpointWorld world = Filled(55, pages: 60, residentPages: 16);
        world.File.Dispose();
        var told = new List<Exception>();
        var disk = new CountingDisk(world.Disk) { FailReads = false };
        CheckpointFile file = CheckpointFile.OpenOrCreate(disk, CheckpointWorld.Path, world.Options);
        using PageStore store = file.Load(new PageStoreOptions { MaxResidentPages = 16, OnUnreadable = told.Add });
        disk.FailReads = true;
        Assert.Throws<DiskException>(() => Touch(store, 17));
        Assert.IsType<DiskException>(Assert.Single(told));
    }

    /// <summary>Everything in memory is dirty, a checkpoint is being written, and all of it changes once more.</summary>
    [Fact]
    public void ChangesDuringACheckpointAreWrittenEarlyAndMemoryStaysBounded()
    {
        CheckpointWorld world = Filled(56, pages: 400, residentPages: 64);
        for (uint page = 1; page <= 400; page++) world.Model.Write(world.Store, page, world.Random);
        ulong expected = world.Store.ComputeRootHash();
        using CheckpointWriter writer = world.Begin();
        for (int round = 0; round < 3; round++)
        {
            for (uint page = 1; page <= 400; page++)
            {
                world.Store.BeginStep();
                world.Model.Write(world.Store, page, world.Random);
                world.AssertBounded();
            }

            if (writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
        }

        while (writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
        Assert.Equal(expected, writer.RootHash);
        writer.Commit();
        world.Model.AssertHeldBy(world.Store);
        Assert.True(world.Check().IsClean);
        world.Checkpoint();
        world.Reopen();
        Assert.Equal(0, world.File.Slots.EvictedSlots);
    }

    /// <summary>Pages in memory, in the last checkpoint, evicted since, and of a checkpoint that is being written or was given up.</summary>
    [Fact]
    public void TheHashInPlaceIsThatOfAllPagesAndTouchesNone()
    {
        CheckpointWorld world = Filled(58, pages: 300, residentPages: 32);
        for (int round = 0; round < 40; round++)
        {
            for (uint page = 1; page <= 300; page += 1 + (uint)(round % 7)) world.Model.Write(world.Store, page, world.Random);
            CheckpointWriter? writer = round % 3 == 0 ? world.Begin() : null;
            writer?.RunOnce();
            for (uint page = 2; page <= 300; page += 5) world.Model.Write(world.Store, page, world.Random);
            AssertHashInPlace(world.Store);
            writer?.Abort();
            AssertHashInPlace(world.Store);
            if (round % 5 == 4) world.Checkpoint();
        }

        world.Checkpoint();
        Assert.Equal(world.File.RootHash, world.Store.ComputeRootHashInPlace());
        Assert.True(world.Store.Counters.Evictions > 0);
    }

    private static void AssertHashInPlace(PageStore store)
    {
        PageCounters before = store.Counters;
        ulong hash = store.ComputeRootHashInPlace();
        Assert.Equal(before, store.Counters);
        Assert.Equal(store.ComputeRootHash(), hash);
    }

    [Fact]
    public void SlotsOfEvictedPagesComeBack()
    {
        CheckpointWorld world = Filled(57, pages: 300, residentPages: 32);
        for (int round = 0; round < 60; round++)
        {
            for (uint page = 1; page <= 300; page++) world.Model.Write(world.Store, page, world.Random);
            if (round % 5 == 4) world.Begin().Abort();
            if (round % 7 == 6) world.Checkpoint();
        }

        // The newest, the older, and the changed pages that are not in memory; an extent ahead.
        long bound = (3 * 306) + (world.Options.ExtentBytes / PageStore.PageSize) + Superblock.Places;
        Assert.InRange(world.File.FileBytes / PageStore.PageSize, 1, bound);
        world.Checkpoint();
        Assert.True(world.Check().IsClean);
        CheckpointCheckReport report = world.Check();
        Assert.Equal(report.UsedSlots, world.File.Slots.BusySlots);
        world.Model.AssertHeldBy(world.Store);
    }

    [Fact]
    public void AFullDiskLetsMemoryGrowToItsNamedEnd()
    {
        CheckpointWorld world = Filled(58, pages: 100, residentPages: 32);
        while (world.File.Slots.FreeSlots > 0) world.File.Slots.TryTake(null, SlotUse.Checkpoint, 64, out _, out _);
        world.Disk.CapacityBytes = world.File.FileBytes;
        using PageStore store = world.File.Load(new PageStoreOptions { MaxResidentPages = 32, OvershootPages = 20 });
        uint written = 0;
        Assert.Throws<StateSpaceException>(() =>
        {
            for (uint page = 1; page <= 100; page++)
            {
                Touch(store, page, PageIntent.Write);
                written = page;
            }
        });
        Assert.True(store.IsShortOfSpace);
        Assert.InRange(written, 30u, 60u);
    }

    [Fact]
    public void SpaceThatComesBackBringsMemoryBackUnderItsBound()
    {
        CheckpointWorld world = Filled(59, pages: 100, residentPages: 32);
        while (world.File.Slots.FreeSlots > 0) world.File.Slots.TryTake(null, SlotUse.Checkpoint, 64, out _, out _);
        world.Disk.CapacityBytes = world.File.FileBytes;
        for (uint page = 1; page <= 80; page++) world.Model.Write(world.Store, page, world.Random);
        Assert.True(world.Store.IsShortOfSpace);
        Assert.True(world.Store.Counters.ResidentPages > 32);
        world.Disk.CapacityBytes = null;
        world.Model.AssertHeldBy(world.Store);
        world.AssertBounded();
        Assert.False(world.Store.IsShortOfSpace);
    }

    /// <summary>The state that is replaced goes on until the apply loop changes over, on slots that the new one does not have.</summary>
    [Fact]
    public void AStoreGoesOnReadingWhatAnAdoptedCheckpointReplaced()
    {
        CheckpointWorld world = Filled(63, pages: 100, residentPages: 16);
        PageStore old = world.Store;
        for (uint page = 1; page <= 50; page++) world.Model.Write(old, page, world.Random);
        CheckpointWorld sender = Filled(64, pages: 120, residentPages: 0);
        using (CheckpointReader reader = sender.File.OpenReader()!)
        using (CheckpointAdopter adopter = world.File.BeginAdopt(verifyOwn: false))
        {
            adopter.AimAt(reader);
            Adoption.FetchAll(reader, adopter);
            Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
            adopter.Commit();
        }

        using PageStore fresh = world.File.Load(world.StoreOptions);
        for (uint page = 1; page <= 120; page++) sender.Model.Write(fresh, page, sender.Random);
        for (uint page = 40; page <= 100; page++) world.Model.Write(old, page, world.Random);
        world.Model.AssertHeldBy(old);
        sender.Model.AssertHeldBy(fresh);
        old.Dispose();
        for (uint page = 1; page <= 120; page++) sender.Model.Write(fresh, page, sender.Random);
        sender.Model.AssertHeldBy(fresh);
        Assert.True(world.Check().IsClean);
    }

    [Fact]
    public void TheLeastMemoryIsNamed()
    {
        var world = new CheckpointWorld(62);
        Assert.Throws<InvariantViolationException>(() =>
            PageStore.Create(new PageStoreOptions { MaxResidentPages = PageStore.MinResidentPages - 1 }, world.File));
        Assert.Throws<InvariantViolationException>(() => PageStore.Create(new PageStoreOptions { MaxResidentPages = 100 }));
    }

    private static CheckpointWorld Filled(ulong seed, int pages, int residentPages)
    {
        var world = new CheckpointWorld(seed, residentPages: residentPages);
        for (int i = 1; i < pages; i++) world.Model.Allocate(world.Store);
        for (uint page = 1; page <= pages; page++) world.Model.Write(world.Store, page, world.Random);
        world.Checkpoint();
        return world;
    }

    private static void TouchHot(CheckpointWorld world, int pages)
    {
        world.Store.BeginStep();
        for (uint page = 1; page <= pages; page++) world.Model.Read(world.Store, page);
    }

    private static void Touch(PageStore store, uint page, PageIntent intent = PageIntent.Read)
    {
        using PageHandle handle = store.Pin(new PageNumber(page), intent);
    }
}
