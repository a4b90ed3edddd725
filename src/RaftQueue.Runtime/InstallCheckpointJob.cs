using RaftQueue.Jobs;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Makes a fetched checkpoint this node's own: its table written and everything durable first, then loaded, then taken over by
/// the apply loop, which meanwhile stays below its index, and by consensus.
/// </summary>
internal sealed class InstallCheckpointJob(
    NodeShared node,
    CheckpointLoop loop,
    CheckpointFiles files,
    ShardApply apply,
    ShardTransfer transfer) : ICheckpointJob
{
    private const long PollMicroseconds = 1_000;

    private readonly CheckpointAdopter _adopter = transfer.Adopter!;
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
                transfer.Tell("installing", NodeId.None);
                _hold = Hold.Asked;
                apply.HoldBelow(_adopter.Info!.Index, held => _hold = held ? Hold.Held : Hold.Refused);
                return nowMicroseconds + PollMicroseconds;
            case Hold.Asked:
                return nowMicroseconds + PollMicroseconds;
            case Hold.Refused:
                // The log caught up while the checkpoint travelled.
                transfer.End();
                return ILoopBody.Never;
            default:
                if (_adopter.AssembleNext()) return nowMicroseconds;
                if (_adopter.Outcome == CheckpointOutcome.Ready && IsWhatItSays())
                {
                    Install();
                    return ILoopBody.Never;
                }

                node.Log.Error($"shard {apply.Shard}: the fetched checkpoint cannot be installed: {_adopter.Outcome}");
                apply.Unhold();
                transfer.End();
                return ILoopBody.Never;
        }
    }

    /// <summary>The pages are those of the state that was announced, and not of another shard or index.</summary>
    private bool IsWhatItSays()
    {
        CheckpointInfo info = _adopter.Info!;
        byte[] root = new byte[PageStore.PageSize];
        return _adopter.TryReadRoot(root) && JobStore.IsStateAt(root, info.Shard, info.Index, info.StateHash);
    }

    private void Install()
    {
        _adopter.Commit();
        CheckpointFile file = files[apply.Shard];
        files.Repaired(apply.Shard);
        (ShardState state, CheckpointInfo loaded) = ShardOpening.Load(file, files.StoreOptions(apply.Shard));
        node.Log.Info($"shard {apply.Shard}: checkpoint at index {loaded.Index} installed, {file.Pages} pages");
        // The claim on the shard ends once the apply loop has changed over.
        loop.Replica!.Post(new CheckpointInstalled(apply.Shard, loaded, state));
        transfer.End(releasesClaim: false);
    }
}
