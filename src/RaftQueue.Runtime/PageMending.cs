using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Damaged pages of this node's newest checkpoint, met while it was read for a peer: each is fetched by name and hash from whichever peer
/// has it and written again where it stands; what one peer gave is synced at once, and only then is it whole again. The state goes on meanwhile;
/// a damaged page that it needs before ends the node as ever. What no peer has any more is left to that, or to the next start, which reads
/// every page.
/// </summary>
internal sealed class PageMending(
    NodeShared node, CheckpointFiles files, ITransferClient client, ShardId shard, PageName[] pages, NodeId[] sources, CancellationToken stopping)
    : ICheckpointJob
{
    private readonly List<PageName> _left = [.. pages];
    private readonly List<PageName> _written = [];
    private volatile bool _isOver;
    private volatile int _open = pages.Length;
    private volatile int _mended;
    private volatile int _from;
    private long _bytes;

    public ShardId Shard => shard;

    /// <summary>It is over, however it went. Any thread, like the four that follow.</summary>
    public bool IsOver => _isOver;

    /// <summary>Pages that are not whole yet.</summary>
    public int Open => _open;

    /// <summary>Pages that are whole again, and durable.</summary>
    public int Mended => _mended;

    /// <summary>The peer that is asked.</summary>
    public NodeId From => new(_from);

    /// <summary>Bytes of pages that came.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>What is under way, for who waits for its end; never fails. Completed before the beginning.</summary>
    public Task Begun { get; private set; } = Task.CompletedTask;

    /// <summary>What no peer had, once it is over.</summary>
    public IReadOnlyList<PageName> Left => _left;

    /// <summary>A bug or a lost disk, once it is over.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Checkpoint loop, once: begins.</summary>
    public long RunSlice(long nowMicroseconds)
    {
        Begun = RunAsync();
        return ILoopBody.Never;
    }

    private async Task RunAsync()
    {
        try
        {
            using CheckpointReader? own = files.OpenReader(shard);
            int kept = _left.Count - _left.RemoveAll(name => own?.Has(name) != true); // what has changed since is written anew
            _open = kept;
            for (int i = 0; i < sources.Length && _left.Count > 0; i++)
            {
                _from = sources[i].Value;
                await WriteFromAsync(sources[i], own!).ConfigureAwait(false);
                Settle(own!);
            }

            node.Log.Info($"shard {shard}: of {kept} damaged pages {kept - _left.Count} came from peers and are whole again");
        }
        catch (OperationCanceledException)
        {
            node.Log.Info($"shard {shard}: fetching damaged pages was given up, the node stops");
        }
        catch (Exception exception)
        {
            Failure = exception;
        }

        _isOver = true;
    }

    private async Task WriteFromAsync(NodeId from, CheckpointReader own)
    {
        TransferOpening opening = await client.OpenAsync(from, shard, LogIndex.Zero, stopping).ConfigureAwait(false);
        if (!opening.IsOpen) return;
        await using ITransferStream stream = opening.Stream;
        foreach (PageName[] names in _left.Chunk(TransferLimits.MaxNames).ToList())
        {
            if (await stream.AskAsync(names, stopping).ConfigureAwait(false) is not null) return;
            TransferAnswer answer = await stream.ReadAsync(stopping).ConfigureAwait(false);
            if (answer.Broken is not null || answer.IsGone) return;
            Write(answer, own);
        }
    }

    private void Write(TransferAnswer answer, CheckpointReader own)
    {
        ReadOnlySpan<byte> contents = answer.Contents.Span;
        for (int i = 0; i < answer.Names.Count; i++)
        {
            if (!answer.Found[i]) continue;
            int length = answer.Names[i].ContentBytes;
            if (own.TryMend(answer.Names[i], contents[..length])) _written.Add(answer.Names[i]);
            contents = contents[length..];
            Volatile.Write(ref _bytes, _bytes + length);
        }
    }

    /// <summary>At most 16 MiB, so that the log's fsync does not wait long behind this one.</summary>
    private void Settle(CheckpointReader own)
    {
        if (_written.Count == 0) return;
        own.SyncMended();
        foreach (PageName name in _written) _left.Remove(name);
        _mended += _written.Count;
        _open = _left.Count;
        _written.Clear();
    }
}
