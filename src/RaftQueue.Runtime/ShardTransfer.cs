using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// One shard's state coming from its peers: claims the shard's checkpoint file, verifies the own pages when they may be damaged,
/// fetches what differs from one peer after the other, and installs it. What was fetched stays when a connection breaks, when a
/// peer's checkpoint moves on and while no peer can go on. Passed from the checkpoint loop to the network and back; the replica
/// loop says what is wanted.
/// </summary>
internal sealed class ShardTransfer(
    NodeShared node, CheckpointLoop checkpoints, CheckpointFiles files, ITransferClient client, ShardApply apply, CancellationToken stopping)
{
    private const long PauseMicroseconds = 500_000;
    private const long ForgottenMicroseconds = 30_000_000;

    private readonly Lock _gate = new();
    private Step _step = Step.New;
    private LogIndex _atLeast;
    private NodeId[] _sources = [];
    private long _wantedAt;
    private long _pausedUntil;

    private enum Step
    {
        New,
        Claimed,
        Fetching,
        Paused,
        Installing,
        Over,
    }

    public ShardId Shard => apply.Shard;

    /// <summary>The fetching that is under way or was last; never fails.</summary>
    public Task Fetching { get; private set; } = Task.CompletedTask;

    /// <summary>Nothing more happens, however it ended.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate) return _step == Step.Over;
        }
    }

    /// <summary>A bug or a lost disk, once it is over.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Set from the claim on.</summary>
    public CheckpointAdopter? Adopter { get; private set; }

    /// <summary>Replica loop: what consensus needs, and whom to ask, in this order.</summary>
    public void Want(LogIndex atLeast, NodeId[] sources, long nowMicroseconds)
    {
        lock (_gate)
        {
            _atLeast = LogIndex.Max(_atLeast, atLeast);
            _sources = sources;
            _wantedAt = nowMicroseconds;
            bool begins = _step == Step.New;
            bool goesOn = _step == Step.Paused && nowMicroseconds >= _pausedUntil;
            if (!begins && !goesOn) return;
            _step = begins ? Step.Claimed : Step.Fetching;
        }

        checkpoints.Post(new BeginTransferJob(this, checkpoints));
    }

    /// <summary>Replica loop: a transfer that waits and that nobody asked for lately is given up, so that the file is free again.</summary>
    public void Sweep(long nowMicroseconds)
    {
        lock (_gate)
        {
            if (_step != Step.Paused || nowMicroseconds - Math.Max(_wantedAt, _pausedUntil) < ForgottenMicroseconds) return;
            _step = Step.Installing;
        }

        node.Log.Info($"shard {Shard}: the checkpoint is not needed any more");
        checkpoints.Post(new EndTransferJob(this));
    }

    /// <summary>Checkpoint loop: the file is ours until <see cref="End"/>.</summary>
    public void Claimed()
    {
        bool verifies = files.NeedsRepair(Shard);
        Adopter = files[Shard].BeginAdopt(verifies);
        if (verifies) Tell("verifying", NodeId.None);
    }

    /// <summary>Checkpoint loop: goes on over the network until all is here or nobody has more.</summary>
    public void Fetch() => Fetching = FetchAsync();

    /// <summary>The shard's checkpoint file is free for others.</summary>
    public void End(Exception? failure = null, bool releasesClaim = true)
    {
        Adopter?.Dispose();
        apply.Link.Fetched(Adopter?.Progress.BytesFetched ?? 0);
        apply.Link.Transfer = null;
        if (releasesClaim) checkpoints.End(Shard);
        lock (_gate)
        {
            Failure = failure;
            _step = Step.Over;
        }
    }

    /// <summary>Publishes how far it is.</summary>
    public void Tell(string phase, NodeId from)
    {
        AdoptionProgress progress = Adopter!.Progress;
        LogIndex index = Adopter.Info?.Index ?? LogIndex.Zero;
        apply.Link.Transfer = new TransferStatus(
            phase, from, index, progress.PagesFetched, progress.PagesNeeded, progress.BytesFetched);
    }

    private async Task FetchAsync()
    {
        try
        {
            var fetch = new PageFetch(node, client, this, Adopter!);
            if (await fetch.RunAsync(Wanted, stopping).ConfigureAwait(false)) Install();
            else if (Adopter!.Outcome == CheckpointOutcome.DiskFull) GiveUp("no space for the checkpoint");
            else Pause();
        }
        catch (OperationCanceledException)
        {
            node.Log.Info($"shard {Shard}: fetching the checkpoint was given up, the node stops");
            End();
        }
        catch (Exception exception)
        {
            End(exception);
        }
    }

    private (LogIndex AtLeast, NodeId[] Sources) Wanted()
    {
        lock (_gate) return (_atLeast, _sources);
    }

    private void Install()
    {
        lock (_gate) _step = Step.Installing;
        AdoptionProgress progress = Adopter!.Progress;
        node.Log.Info(
            $"shard {Shard}: {progress.PagesFetched} pages of the checkpoint at {Adopter.Info!.Index} are here, {progress.BytesFetched} bytes"
            + $" were fetched, {Adopter.DamagedPages} own pages were damaged");
        checkpoints.Post(new InstallCheckpointJob(node, checkpoints, files, apply, this));
    }

    private void Pause()
    {
        Tell("waiting", NodeId.None);
        lock (_gate)
        {
            _pausedUntil = node.Clock.MonotonicMicroseconds + PauseMicroseconds;
            _step = Step.Paused;
        }
    }

    private void GiveUp(string reason)
    {
        node.Log.Error($"shard {Shard}: {reason}");
        End();
    }

    private sealed class EndTransferJob(ShardTransfer transfer) : ICheckpointJob
    {
        public long RunSlice(long nowMicroseconds)
        {
            transfer.End();
            return ILoopBody.Never;
        }
    }
}
