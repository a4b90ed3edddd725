using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>Gives this node's newest checkpoints to peers.</summary>
internal sealed class CheckpointSource(CheckpointFiles files) : ITransferSource
{
    public ITransferReader? Open(ShardId shard, LogIndex atLeast)
    {
        if (files.OpenReader(shard) is not { } reader) return null;
        if (reader.Info.Index >= atLeast) return new Transfer(reader);
        reader.Dispose();
        return null;
    }

    private sealed class Transfer(CheckpointReader reader) : ITransferReader
    {
        public ReadOnlyMemory<byte> InfoBytes { get; } = CheckpointInfoCodec.Encode(reader.Info);

        public long TotalBytes => reader.TotalBytes;

        public int Read(long position, Span<byte> into)
        {
            try
            {
                return reader.Read(position, into);
            }
            catch (CheckpointDamagedException)
            {
                // The receiver hears that the bytes cannot be had; this node's own check tells its operator.
                return 0;
            }
        }

        public void Dispose() => reader.Dispose();
    }
}
