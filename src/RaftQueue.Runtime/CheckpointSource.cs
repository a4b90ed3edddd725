using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Gives pages of this node's newest checkpoints to peers. An open checkpoint keeps its place in the file, so how many are open
/// is bounded, and one that would not be kept without its reader is gone after a minute: the receiver compares with the next.
/// </summary>
/// <param name="files">Where they are.</param>
/// <param name="clock">Monotonic.</param>
/// <param name="log">Told of pages that cannot be read.</param>
/// <param name="onDamage">
/// Any thread: these pages of a checkpoint that this node goes on from could not be read as they were written. The next start has to look.
/// </param>
internal sealed class CheckpointSource(CheckpointFiles files, IClock clock, INodeLog log, Action<ShardId, PageName[]> onDamage) : ITransferSource
{
    private const int MaxOpen = 4;
    private const long PinMicroseconds = 60_000_000;

    private int _open;

    public ITransferReader? Open(ShardId shard, LogIndex atLeast)
    {
        if (Interlocked.Increment(ref _open) <= MaxOpen && files.OpenReader(shard) is { } reader)
        {
            if (reader.Info.Index >= atLeast) return new Transfer(this, reader, clock.MonotonicMicroseconds + PinMicroseconds);
            reader.Dispose();
        }

        Interlocked.Decrement(ref _open);
        return null;
    }

    private sealed class Transfer(CheckpointSource source, CheckpointReader reader, long pinnedUntil) : ITransferReader
    {
        private bool _damageTold;

        public ReadOnlyMemory<byte> InfoBytes { get; } =
            CheckpointInfoCodec.Encode(new OfferedCheckpoint(reader.Info, reader.RootHash, reader.Pages));

        public bool TryRead(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents, out int written)
        {
            written = 0;
            bool isOver = source.Now > pinnedUntil && !source.Keeps(reader.Info);
            if (isOver) return false;
            written = reader.Read(names, found, contents);
            if (reader.IsRevoked) return false;
            if (reader.TakeDamaged() is not { Length: > 0 } damaged) return true;
            source.Tell(reader, damaged, isFirst: !_damageTold);
            _damageTold = true;
            return true;
        }

        public void Dispose()
        {
            reader.Dispose();
            Interlocked.Decrement(ref source._open);
        }
    }

    private long Now => clock.MonotonicMicroseconds;

    private bool Keeps(CheckpointInfo info) => files.Keeps(info.Shard, info.Index);

    private void Tell(CheckpointReader reader, PageName[] damaged, bool isFirst)
    {
        ShardId shard = reader.Info.Shard;
        if (isFirst) log.Error($"shard {shard}: read for a peer, checkpoint damaged: {reader.Damage}");
        // Of one that only the reader keeps nobody depends on.
        if (!Keeps(reader.Info)) return;
        onDamage(shard, damaged);
    }
}
