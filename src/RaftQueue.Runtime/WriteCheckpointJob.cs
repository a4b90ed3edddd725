using RaftQueue.Consensus;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Writes one checkpoint and, once the node's own log is durable to its index, makes it the newest. The log is then needed
/// only from the checkpoint before it, which stays usable should the newest turn out damaged.
/// </summary>
internal sealed class WriteCheckpointJob(NodeShared node, CheckpointLoop loop, CheckpointFiles files, FrozenPages frozen)
    : ICheckpointJob
{
    private const long LogPollMicroseconds = 2_000;
    private const int RestTimes = 3;
    private const long MostRestMicroseconds = 500_000;
    private const int SegmentsInHaste = 6;

    private CheckpointWriter? _writer;
    private long _began;
    private long _took;
    private bool _isTrimming;

    public long RunSlice(long nowMicroseconds)
    {
        ShardId shard = frozen.Info.Shard;
        CheckpointFile file = files[shard];
        if (_isTrimming) return TrimSlice(file, nowMicroseconds);
        if (_writer is null)
        {
            _writer = file.BeginWrite(frozen);
            _began = nowMicroseconds;
        }

        if (_writer.Outcome == CheckpointOutcome.Writing && _writer.RunOnce()) return RestUntil(nowMicroseconds);
        if (_writer.Outcome == CheckpointOutcome.Ready)
        {
            if (node.Wal.DurableIndex(shard) < frozen.Info.Index) return nowMicroseconds + LogPollMicroseconds;
            _writer.Commit();
            files.Repaired(shard);
            Committed(file, shard);
            _writer.Dispose();
            _isTrimming = true;
            return TrimSlice(file, nowMicroseconds);
        }

        node.Log.Warning($"shard {shard}: no checkpoint at {frozen.Info.Index}: {_writer.Outcome}");
        _writer.Dispose();
        loop.End(shard);
        return ILoopBody.Never;
    }

    private long TrimSlice(CheckpointFile file, long nowMicroseconds)
    {
        if (file.ForgetFree()) return nowMicroseconds;
        if (file.Trim()) return RestUntil(nowMicroseconds);
        if (file.ReserveAhead()) return nowMicroseconds; // one extent a call
        Tell(file);
        loop.End(frozen.Info.Shard);
        return ILoopBody.Never;
    }

    /// <summary>
    /// A disk that takes long for a slice has others to serve, the log's fsync above all: the writer rests three times as long as it
    /// worked. Not while the log waits for this checkpoint to be able to give up its segments.
    /// </summary>
    private long RestUntil(long beganMicroseconds)
    {
        if (node.Wal.SegmentsPinnedBy(frozen.Info.Shard) > SegmentsInHaste) return beganMicroseconds;
        long now = node.Clock.MonotonicMicroseconds;
        return now + Math.Min(RestTimes * (now - beganMicroseconds), MostRestMicroseconds);
    }

    private long WrittenBytes => _writer!.BlocksWritten * PageStore.PageSize;

    private void Tell(CheckpointFile file) =>
        loop.Replica!.Shard(frozen.Info.Shard).Link.CheckpointWritten(frozen.Info.Index, _took, WrittenBytes, file.FileBytes);

    private void Committed(CheckpointFile file, ShardId shard)
    {
        _took = node.Clock.MonotonicMicroseconds - _began;
        node.Log.Info($"shard {shard}: checkpoint at index {frozen.Info.Index}, {WrittenBytes >> 10} KiB written in {_took / 1000} ms");
        Tell(file);
        loop.Replica!.Post(new CheckpointRooted(shard, frozen.Info.Index, _writer!.RootHash));

        if (file.Older is not { } older) return;
        bool decoded = MembershipRecord.TryDecode(older.Membership, out MembershipRecord? membership);
        Invariant.That(decoded, "a checkpoint holds the membership of its index");
        loop.Replica!.Post(new LogReleased(shard, older.Index, older.Term, membership!));
    }
}
