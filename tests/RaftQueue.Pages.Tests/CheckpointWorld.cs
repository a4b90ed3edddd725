using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>A disk with one checkpoint file, the store that goes with it and the model of both.</summary>
internal sealed class CheckpointWorld
{
    public const string Directory = "/data/shard-0";
    public const string Path = Directory + "/checkpoint";

    private readonly SplitMix64? _ahead; // null: nobody writes ahead

    public static readonly CheckpointOptions Small = new()
    {
        ExtentBytes = 16 * 4096,
        SliceBytes = 8 * 4096,
        SyncBytes = 64 * 4096,
    };

    public CheckpointWorld(ulong seed, CheckpointOptions? options = null, int residentPages = 0, int stepPages = 1024, bool writesAhead = false)
    {
        _ahead = writesAhead ? new SplitMix64(seed + 1) : null;
        StoreOptions = new PageStoreOptions { MaxResidentPages = residentPages, CheckReads = true, StepPages = stepPages };
        Random = new SplitMix64(seed);
        Options = options ?? Small;
        Disk = new FakeDisk(seed);
        Disk.CreateDirectory(Directory);
        File = CheckpointFile.OpenOrCreate(Disk, Path, Options);
        Store = PageStore.Create(StoreOptions, File);
        Attach();
    }

    /// <summary>How the store is made; the bound of its memory is 0 for none.</summary>
    public PageStoreOptions StoreOptions { get; }

    public SplitMix64 Random { get; }

    public CheckpointOptions Options { get; }

    public FakeDisk Disk { get; }

    public CheckpointFile File { get; private set; }

    public PageStore Store { get; private set; }

    public StateModel Model { get; private set; } = new();

    /// <summary>What the last checkpoints that were begun hold, by index.</summary>
    public Dictionary<long, StateModel> ByIndex { get; } = [];

    public long LastIndex { get; private set; }

    /// <summary>The last checkpoint whose commit returned.</summary>
    public long LastCommitted { get; private set; }

    public static CheckpointInfo InfoFor(long index) => new()
    {
        Shard = new ShardId(3),
        Index = new LogIndex(index),
        Term = new Term(2),
        TimestampMs = 1_700_000_000_000 + index,
        StateHash = SplitMix64.Mix((ulong)index),
        Membership = [1, 2, (byte)index],
    };

    public void Churn(int steps, int pages = 40)
    {
        for (int i = 0; i < steps; i++)
        {
            Model.Step(Store, Random, pages);
            WriteSomeAhead();
            AssertBounded();
        }
    }

    public CheckpointWriter Begin()
    {
        LastIndex++;
        ByIndex[LastIndex] = Model.Clone();
        ByIndex.Remove(LastIndex - 10);
        return File.BeginWrite(Store.Freeze(InfoFor(LastIndex)));
    }

    /// <param name="between">Steps between two slices of the writer.</param>
    public ulong Checkpoint(int between = 0)
    {
        using CheckpointWriter writer = Begin();
        while (writer.RunOnce()) Churn(between);

        Assert.Equal(CheckpointOutcome.Ready, writer.Outcome);
        writer.Commit();
        LastCommitted = LastIndex;
        return writer.RootHash;
    }

    /// <summary>The process is over, cleanly or not: opens the file again and loads and compares what it has.</summary>
    public void Reopen()
    {
        File.Dispose();
        Store.Dispose();
        File = CheckpointFile.OpenOrCreate(Disk, Path, Options);
        Store = File.Newest is null ? PageStore.Create(StoreOptions, File) : File.Load(StoreOptions);
        Attach();
        Model = File.Newest is { } info ? ByIndex[info.Index.Value].Clone() : new StateModel();
        Model.AssertHeldBy(Store);
        if (File.Newest is { } newest)
        {
            Assert.Equal(InfoFor(newest.Index.Value), newest);
            Assert.Equal(Store.ComputeRootHash(), File.RootHash);
        }
    }

    /// <summary>Opens the file again without comparing: it holds what another world's did.</summary>
    public void Continue()
    {
        File.Dispose();
        File = CheckpointFile.OpenOrCreate(Disk, Path, Options);
    }

    /// <summary>As a loop beside the apply loop would, now and then.</summary>
    public void WriteSomeAhead()
    {
        if (_ahead is null) return;
        if (_ahead.NextBelow(3) == 0) Store.WriteNextAhead();
        if (_ahead.NextBelow(4) == 0) Store.CollectAhead();
    }

    private void Attach()
    {
        if (_ahead is not null) Store.AttachWriter(() => { });
    }

    /// <summary>No more is in memory than may be, and the file's slots are accounted for.</summary>
    public void AssertBounded()
    {
        if (StoreOptions.MaxResidentPages == 0) return;
        PageCounters counters = Store.Counters;
        Assert.InRange(counters.ResidentPages, 1, StoreOptions.MaxResidentPages);
        Assert.True(Store.ReservedBytes <= (StoreOptions.MaxResidentPages + 256) * PageStore.PageSize);
    }

    public CheckpointCheckReport Check() => CheckpointCheck.Check(Disk, Path, _ => { });
}
