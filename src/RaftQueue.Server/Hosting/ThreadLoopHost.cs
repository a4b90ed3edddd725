using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>Runs each loop on a thread of its own. Safe from any thread.</summary>
/// <param name="clock">What the loops' next times are measured by.</param>
/// <param name="failed">
/// Called once, on the loop's thread, with its name and what left its body; that loop runs no more. Must stop the process: a node
/// that is wrong about itself or has lost its disk may not go on.
/// </param>
public sealed class ThreadLoopHost(IClock clock, Action<string, Exception> failed) : ILoopHost
{
    public ILoopHandle Start(string name, ILoopBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var loop = new LoopThread(name, body, clock, failed);
        loop.Start();
        return loop;
    }
}
