using RaftQueue.Consensus;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Fetches a whole checkpoint when the leader's log begins behind ours: one at a time for each shard, beside everything
/// else, resumed when the connection breaks. <see cref="Need"/> belongs to the replica loop.
/// </summary>
internal sealed class StateTransfer(
    NodeShared node, ReplicaLoop replica, CheckpointLoop checkpoints, CheckpointFiles files, ITransferClient client)
{
    private const int MaxResumes = 10;
    private const long RetryMicroseconds = 1_000_000;

    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<ShardId> _running = [];
    private readonly Dictionary<ShardId, long> _notBefore = [];

    /// <summary>Consensus needs a checkpoint; repeats while one travels change nothing.</summary>
    public void Need(ShardReplica shard, CheckpointNeeded needed)
    {
        // The leader offers at every heartbeat; a fetch that failed is not repeated as often.
        if (_notBefore.TryGetValue(shard.Shard, out long time) && node.Clock.MonotonicMicroseconds < time) return;
        if (!_running.Add(shard.Shard)) return;
        node.Log.Info($"shard {shard.Shard}: fetching a checkpoint at or above {needed.Index} from node {needed.From}");
        _ = FetchAsync(shard, needed);
    }

    /// <summary>The node stops.</summary>
    public void Cancel() => _stopping.Cancel();

    /// <summary>Any thread: this shard may fetch again.</summary>
    public void Finished(ShardId shard) => replica.Post(new TransferEnded(shard, null));

    private async Task FetchAsync(ShardReplica shard, CheckpointNeeded needed)
    {
        Exception? failure = null;
        bool handedOver = false;
        try
        {
            handedOver = await TryFetchAsync(shard, needed, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            node.Log.Info($"shard {shard.Shard}: fetching the checkpoint was given up, the node stops");
        }
        catch (DiskException exception) when (exception.IsDiskFull)
        {
            node.Log.Error($"shard {shard.Shard}: no space for the checkpoint", exception);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        if (!handedOver) replica.Post(new TransferEnded(shard.Shard, failure));
    }

    /// <summary>True when all bytes are here and the checkpoint loop goes on with them.</summary>
    private async Task<bool> TryFetchAsync(ShardReplica shard, CheckpointNeeded needed, CancellationToken stopping)
    {
        TransferResume? resume = null;
        CheckpointReceiver? receiver = null;
        CheckpointInfo? info = null;
        try
        {
            for (int round = 0; round <= MaxResumes; round++)
            {
                TransferOpening opening =
                    await client.OpenAsync(needed.From, shard.Shard, needed.Index, resume, stopping).ConfigureAwait(false);
                if (!opening.IsOpen)
                {
                    node.Log.Warning($"shard {shard.Shard}: no checkpoint from node {needed.From}: {opening.Outcome} {opening.Reason}");
                    return false;
                }

                await using ITransferStream stream = opening.Stream;
                if (receiver is null)
                {
                    info = CheckpointInfoCodec.Decode(stream.Info.Span);
                    if (info is null || info.Shard != shard.Shard || info.Index < needed.Index) return false;
                    receiver = CheckpointReceiver.BeginReceive(files.Disk, files.PathOf(shard.Shard), info, stream.TotalBytes);
                }

                if (await TryReceiveAsync(stream, receiver, stopping).ConfigureAwait(false))
                {
                    checkpoints.Post(new InstallCheckpointJob(node, checkpoints, files, shard.Apply, info!, receiver, this));
                    receiver = null;
                    return true;
                }

                if (receiver.Outcome != CheckpointOutcome.Writing) break;
                resume = stream.ResumePoint;
            }

            node.Log.Warning($"shard {shard.Shard}: the checkpoint from node {needed.From} did not arrive: {receiver?.Outcome}");
            return false;
        }
        finally
        {
            receiver?.Dispose();
        }
    }

    private static async Task<bool> TryReceiveAsync(
        ITransferStream stream, CheckpointReceiver receiver, CancellationToken stopping)
    {
        while (true)
        {
            TransferRead read = await stream.ReadAsync(stopping).ConfigureAwait(false);
            if (read.IsEnd) return true;
            if (read.Broken is not null) return false;
            if (receiver.Write(read.Position, read.Bytes.Span) != CheckpointOutcome.Writing) return false;
        }
    }

    private sealed class TransferEnded(ShardId shard, Exception? failure) : IReplicaInput
    {
        public void Run(ReplicaLoop loop, long nowMicroseconds)
        {
            loop.Transfers._running.Remove(shard);
            loop.Transfers._notBefore[shard] = nowMicroseconds + RetryMicroseconds;
            if (failure is not null) throw new InvalidOperationException("receiving a checkpoint failed", failure);
        }
    }
}
