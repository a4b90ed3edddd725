using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Claims a shard's checkpoint file for a transfer, reads the own pages when any may be damaged, and lets the fetching begin or
/// go on.
/// </summary>
internal sealed class BeginTransferJob(ShardTransfer transfer, CheckpointLoop loop) : ICheckpointJob
{
    private const long PollMicroseconds = 1_000;

    public long RunSlice(long nowMicroseconds)
    {
        if (transfer.Adopter is null)
        {
            if (!loop.TryBegin(transfer.Shard))
            {
                // A checkpoint of our own stands in the queue behind this job, or its state is just being taken over.
                loop.PostLater(this, nowMicroseconds + PollMicroseconds);
                return ILoopBody.Never;
            }

            transfer.Claimed();
        }

        if (transfer.Adopter!.Info is null && transfer.Adopter.VerifyNext()) return nowMicroseconds;
        transfer.Fetch();
        return ILoopBody.Never;
    }
}
