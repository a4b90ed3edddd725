using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A loop whose exception ends the node: it is told to <paramref name="failed"/> and then to the loop host.</summary>
internal sealed class GuardedLoop(ILoopBody body, Action<Exception> failed) : ILoopBody
{
    public long RunOnce()
    {
        try
        {
            return body.RunOnce();
        }
        catch (Exception exception)
        {
            failed(exception);
            throw;
        }
    }
}
