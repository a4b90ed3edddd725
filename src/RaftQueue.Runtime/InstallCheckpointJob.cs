using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Puts a fetched checkpoint in the place of this node's own: verified and durable first, then loaded, then taken over by
/// the apply loop, which meanwhile stays below its index, and by consensus.
/// </summary>
internal sealed class InstallCheckpointJob(
    NodeShared node,
    CheckpointLoop loop,
    CheckpointFiles files,
    ShardApply apply,
    CheckpointInfo info,
    CheckpointReceiver receiver,
    StateTransfer transfer) : ICheckpointJob
{
    private const long PollMicroseconds = 1_000;

    private volatile Hold _hold = Hold.NotAsked;

    private enum Hold
    {
        NotAsked,
        Asked,
        Held,
        Refused,
    }

    public long RunSlice(long nowMicroseconds)
    {
        switch (_hold)
        {
            case Hold.NotAsked:
                if (!loop.TryBegin(info.Shard))
                {
                    // A checkpoint of our own stands in the queue behind this job.
                    loop.Post(this);
                    return ILoopBody.Never;
                }

                _hold = Hold.Asked;
                apply.HoldBelow(info.Index, held => _hold = held ? Hold.Held : Hold.Refused);
                return nowMicroseconds + PollMicroseconds;
            case Hold.Asked:
                return nowMicroseconds + PollMicroseconds;
            case Hold.Refused:
                // The log caught up while the checkpoint travelled.
                receiver.Abort();
                return Over();
            default:
                if (receiver.VerifyNext()) return nowMicroseconds;
                if (receiver.Finish() == CheckpointOutcome.Committed) return Install();
                node.Log.Error($"shard {info.Shard}: the fetched checkpoint is {receiver.Outcome}: {receiver.Damage}");
                apply.Unhold();
                return Over();
        }
    }

    private long Install()
    {
        CheckpointFile file = files.Open(info.Shard);
        (ShardState state, CheckpointInfo loaded) = ShardOpening.Load(file, files.StoreOptions(info.Shard));
        DamagedMark.Clear(files, info.Shard);
        node.Log.Info($"shard {info.Shard}: checkpoint at index {loaded.Index} installed, {file.Pages} pages");
        // The claim on the shard ends once the apply loop has changed over.
        loop.Replica!.Post(new CheckpointInstalled(info.Shard, loaded, state));
        transfer.Finished(info.Shard);
        return ILoopBody.Never;
    }

    private long Over()
    {
        receiver.Dispose();
        loop.End(info.Shard);
        transfer.Finished(info.Shard);
        return ILoopBody.Never;
    }
}
