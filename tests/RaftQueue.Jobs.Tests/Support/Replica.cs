using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>One store with its pages, fed by entries, and what came out of the last one.</summary>
public sealed class Replica : IDisposable
{
    public static readonly Incarnation Local = new(0xA11CE);

    private readonly PageStoreOptions _options;

    /// <param name="checkReads">Whether pages that are only read are checked for that.</param>
    /// <param name="residentPages">Pages that fit into memory, 0 for all of them.</param>
    /// <param name="file">Where the others go.</param>
    public Replica(bool checkReads = true, int residentPages = 0, CheckpointFile? file = null)
    {
        _options = new PageStoreOptions { CheckReads = checkReads, MaxResidentPages = residentPages };
        Pages = PageStore.Create(_options, file);
        Store = JobStore.Create(Pages, new ShardId(0));
    }

    public PageStore Pages { get; private set; }

    public JobStore Store { get; private set; }

    public ApplyOutput Output { get; } = new() { Local = Local };

    public void Apply(byte[] entry)
    {
        Output.Clear();
        Assert.True(EntryHeader.TryRead(entry, out EntryHeader header));
        Store.Apply(header, entry, Output);
        Assert.Equal(0, Pages.LivePins);
    }

    /// <summary>Goes on with what stands in the pages alone.</summary>
    public void Reopen()
    {
        Store.Dispose();
        Store = JobStore.Open(Pages);
    }

    /// <summary>Goes on from a checkpoint that was written, committed and loaded.</summary>
    public void Reload(CheckpointFile file)
    {
        using (CheckpointWriter writer = file.BeginWrite(Pages.Freeze(Checkpoint())))
        {
            while (writer.Outcome == CheckpointOutcome.Writing) writer.RunOnce();
            writer.Commit();
        }

        Store.Dispose();
        Pages.Dispose();
        Pages = file.Load(_options);
        Store = JobStore.Open(Pages);
    }

    public CheckpointInfo Checkpoint() => new()
    {
        Index = Store.AppliedIndex,
        Term = Store.AppliedTerm,
        TimestampMs = Store.LastTimestampMs,
        StateHash = Store.StateHash,
    };

    /// <summary>The encoded results of the last entry.</summary>
    public List<byte[]> Results() =>
        Output.Results.ConvertAll(result => Output.Buffer.WrittenSpan.Slice(result.Offset, result.Length).ToArray());

    /// <summary>The job as text, null when there is none.</summary>
    public string? Job(JobId id)
    {
        using var buffer = new PooledBuffer();
        if (!Store.TryWriteJob(id, withPayload: true, new MessagePackWriter(buffer))) return null;
        var reader = new MessagePackReader(buffer.WrittenSpan);
        Assert.True(JobView.TryRead(ref reader, out JobView view));
        Assert.True(reader.IsAtEnd);
        return Shots.Of(view).ToString();
    }

    /// <summary>The queue as text, null when there is none.</summary>
    public string? Queue(string name)
    {
        using var buffer = new PooledBuffer();
        if (!Store.TryWriteQueue(System.Text.Encoding.UTF8.GetBytes(name), new MessagePackWriter(buffer))) return null;
        var reader = new MessagePackReader(buffer.WrittenSpan);
        Assert.True(QueueView.TryRead(ref reader, out QueueView view));
        return Shots.Of(view).ToString();
    }

    public void Dispose()
    {
        Store.Dispose();
        Output.Dispose();
        Pages.Dispose();
    }
}
