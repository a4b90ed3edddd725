namespace RaftQueue.Runtime;

/// <summary>Reads that share one confirmation round.</summary>
internal sealed class ReadBatch(List<PendingRead> reads, long sentMicroseconds)
{
    public List<PendingRead> Reads { get; } = reads;

    public long SentMicroseconds { get; } = sentMicroseconds;
}
