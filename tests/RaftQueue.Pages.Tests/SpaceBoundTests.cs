using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>
/// The file has room for three copies of the largest state of late (see CheckpointFile.Space.cs) and a fixed slack, whatever changes,
/// leaves memory, is read for peers or is purged, and however far a checkpoint comes meanwhile.
/// </summary>
public sealed class SpaceBoundTests
{
    /// <summary>Checkpoints that it takes until what a purge left stands low and the end of the file is given back.</summary>
    private const int Late = 6;

    private const int SlackExtents = 16;

    [Theory]
    [InlineData(24)]
    [InlineData(200)]
    [InlineData(0)]
    public void TheFileStaysWithinThreeTimesTheState(int residentPages)
    {
        for (ulong seed = 1; seed <= 12; seed++) new Churn(seed, residentPages).Run(150);
    }

    /// <summary>Everything changes and leaves memory before a checkpoint, between two and while one is written: the worst there is.</summary>
    [Fact]
    public void TheOlderCheckpointIsGivenUpBeforeTheFileGrowsOn()
    {
        CheckpointWorld world = FourCopies(null, out _);
        Assert.Null(world.File.Older);
        Assert.NotNull(world.File.Newest);
        world.Reopen();
        world.Churn(50, 900);
        world.Checkpoint();
        world.Reopen();
        Assert.NotNull(world.File.Older);
    }

    [Fact]
    public void ACrashWhileTheOlderIsGivenUpLeavesTheNewest()
    {
        FourCopies(null, out long givenUp);
        bool gone = false;
        bool kept = false;
        for (long at = givenUp - 12; at <= givenUp + 4; at++)
        {
            foreach (CrashMode mode in new[] { CrashMode.PowerLoss, CrashMode.ProcessDeath })
            {
                CheckpointWorld world = FourCopies(at, out _);
                world.Disk.Crash(mode);
                world.Reopen();
                Assert.Equal(2, world.File.Newest!.Index.Value);
                Assert.DoesNotContain(world.File.Damage, damage => damage.CheckpointIndex is not null);
                gone |= world.File.Older is null;
                kept |= world.File.Older is not null;
            }
        }

        Assert.True(gone && kept, "the older one is given up between the first and the last of these crashes");
    }

    /// <summary>What only a reader keeps is taken from it when space is needed; it never gives out anything else.</summary>
    [Fact]
    public void AReaderIsToldThatItsCheckpointIsGone()
    {
        var world = new CheckpointWorld(71, residentPages: 24);
        for (int i = 1; i < 900; i++) world.Model.Allocate(world.Store);
        world.Checkpoint();
        using CheckpointReader reader = world.File.OpenReader()!;
        var names = new PageName[1];
        bool[] found = new bool[1];
        byte[] content = new byte[PageStore.PageSize];
        using (CheckpointAdopter adopter = new CheckpointWorld(72).File.BeginAdopt(verifyOwn: false))
        {
            adopter.AimAt(reader);
            names[0] = PageName.Root(reader.RootHash);
        }

        int rounds = 0;
        while (!reader.IsRevoked && rounds++ < 10)
        {
            Assert.Equal(PageName.NodeBytes, reader.Read(names, found, content));
            Assert.True(found[0]);
            ChangeAll(world);
            world.Checkpoint(between: 10);
        }

        Assert.True(reader.IsRevoked);
        Assert.Equal(0, reader.Read(names, found, content));
        Assert.False(found[0]);
        world.Model.AssertHeldBy(world.Store);
        world.Reopen();
    }

    /// <param name="crashAt">The disk operation at which it ends; null: at the end.</param>
    /// <param name="givenUpAt">The number of disk operations when the older checkpoint was found to be given up.</param>
    private static CheckpointWorld FourCopies(long? crashAt, out long givenUpAt)
    {
        givenUpAt = 0;
        var world = new CheckpointWorld(73, residentPages: 24);
        world.Disk.CrashAtOperation = crashAt;
        try
        {
            for (int i = 1; i < 900; i++) world.Model.Allocate(world.Store);
            world.Checkpoint();
            ChangeAll(world);
            world.Checkpoint();
            ChangeAll(world);
            using CheckpointWriter writer = world.Begin();
            for (uint page = 1; page <= 900; page++)
            {
                world.Store.BeginStep();
                world.Model.Write(world.Store, page, world.Random);
                if (page % 8 == 0 && writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
                if (givenUpAt == 0 && world.File.Older is null) givenUpAt = world.Disk.Operations;
            }

            while (writer.Outcome == CheckpointOutcome.Writing && writer.RunOnce())
            {
            }

            writer.Abort();
        }
        catch (SimulatedCrashException)
        {
            Assert.NotNull(crashAt);
        }

        return world;
    }

    private static void ChangeAll(CheckpointWorld world)
    {
        for (uint page = 1; page <= 900; page++)
        {
            world.Store.BeginStep();
            if (world.Store.IsAllocated(new PageNumber(page))) world.Model.Write(world.Store, page, world.Random);
        }
    }

    /// <summary>A store under random work of all kinds, each page with its own number of changes in it.</summary>
    private sealed class Churn(ulong seed, int residentPages)
    {
        private const int MostPages = 2_500;

        private readonly CheckpointWorld _world = new(seed, residentPages: residentPages);
        private readonly SplitMix64 _random = new(seed * 77);
        private readonly Dictionary<uint, int> _changes = [];
        private readonly List<uint> _pages = [];
        private readonly Queue<long> _late = new();
        private readonly List<CheckpointReader> _readers = [];
        private CheckpointWriter? _writer;
        private long _frozenPages;
        private long _largest; // since the last commit
        private long _index;

        public void Run(int actions)
        {
            Grow(800);
            for (int i = 0; i < actions; i++)
            {
                Act(_random.NextBelow(16));
                _world.File.Tend();
                _world.Store.Settle();
                _largest = Math.Max(_largest, _world.Store.AllocatedPages);
                AssertBounded($"seed {seed}, action {i}");
            }

            foreach ((uint page, int changes) in _changes) AssertHolds(page, changes);
            foreach (CheckpointReader reader in _readers) reader.Dispose();
            _writer?.Dispose();
            Assert.True(_world.Check().IsClean);
        }

        private void Act(long kind)
        {
            switch (kind)
            {
                case 0:
                    Grow((int)Math.Min(600, MostPages - _pages.Count));
                    break;
                case 1 when _random.NextBelow(3) == 0:
                    while (_pages.Count > 60) Free((int)_random.NextBelow(_pages.Count));
                    break;
                case < 4:
                    foreach (uint page in _pages) Write(page);
                    break;
                case < 7:
                    for (int i = 0; i < 300 && _pages.Count > 0; i++) Write(_pages[(int)_random.NextBelow(_pages.Count)]);
                    break;
                case 7 when _readers.Count < 4:
                    if (_world.File.OpenReader() is { } reader) _readers.Add(reader);
                    break;
                case 8 when _readers.Count > 0:
                    _readers[0].Dispose();
                    _readers.RemoveAt(0);
                    break;
                case 9 when _writer is not null && _random.NextBelow(4) == 0:
                    End(commits: false);
                    break;
                case < 13:
                    Begin();
                    for (int i = 0; i < 10 && _writer!.Outcome == CheckpointOutcome.Writing; i++) _writer.RunOnce();
                    break;
                default:
                    Begin();
                    while (_writer!.Outcome == CheckpointOutcome.Writing) _writer.RunOnce();
                    End(commits: true);
                    break;
            }
        }

        private void Begin()
        {
            if (_writer is not null) return;
            _frozenPages = _world.Store.AllocatedPages;
            _writer = _world.File.BeginWrite(_world.Store.Freeze(CheckpointWorld.InfoFor(++_index)));
        }

        private void End(bool commits)
        {
            if (commits)
            {
                _writer!.Commit();
                _late.Enqueue(Math.Max(_frozenPages, _largest));
                _largest = 0;
                if (_late.Count > Late) _late.Dequeue();
                while (_world.File.Trim())
                {
                }

                while (_world.File.ReserveAhead())
                {
                }
            }

            _writer!.Dispose();
            _writer = null;
        }

        private void AssertBounded(string where)
        {
            long largest = Math.Max(_largest, _late.Count > 0 ? _late.Max() : 0);
            if (_writer is not null) largest = Math.Max(largest, _frozenPages);
            long withTable = largest + (largest / 100) + 4;
            long slack = SlackExtents * (_world.Options.ExtentBytes / PageStore.PageSize);
            long slots = _world.File.FileBytes / PageStore.PageSize;
            Assert.True(slots <= Superblock.Places + (3 * withTable) + slack, $"{where}: {slots} slots for states of at most {largest} pages");
        }

        private void Grow(int pages)
        {
            for (int i = 0; i < pages; i++)
            {
                uint page = _world.Store.Allocate().Value;
                _pages.Add(page);
                _changes.Add(page, 0);
            }
        }

        private void Free(int at)
        {
            uint page = _pages[at];
            _pages[at] = _pages[^1];
            _pages.RemoveAt(_pages.Count - 1);
            _changes.Remove(page);
            _world.Store.Free(new PageNumber(page));
        }

        private void Write(uint page)
        {
            _world.Store.BeginStep();
            AssertHolds(page, _changes[page]);
            using PageHandle handle = _world.Store.Pin(new PageNumber(page), PageIntent.Write);
            BitConverter.TryWriteBytes(handle.Write[16..], ++_changes[page]);
        }

        private void AssertHolds(uint page, int changes)
        {
            using PageHandle handle = _world.Store.Pin(new PageNumber(page), PageIntent.Read);
            Assert.Equal(changes, BitConverter.ToInt32(handle.Read[16..]));
        }
    }
}
