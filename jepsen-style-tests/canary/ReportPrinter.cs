using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Canary;

internal sealed class ReportPrinter : IWalListener
{
    public void Persisted(ShardId shard, LogIndex index, Term term) => Console.WriteLine($"reported {index}");

    public void HardStatePersisted(ShardId shard, HardState state) => Console.WriteLine($"reported term {state.Term}");

    public void DiskFullChanged(bool full) => Console.WriteLine($"full {full}");
}
