using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Gives back the memory of a state that was replaced.</summary>
internal sealed class RetireStateJob(ShardState state) : ICheckpointJob
{
    public long RunSlice(long nowMicroseconds)
    {
        state.Pages.Dispose();
        return ILoopBody.Never;
    }
}
