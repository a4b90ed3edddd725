namespace RaftQueue.Primitives;

/// <summary>Owns threads, so that nothing below the server starts one itself and a simulation can run all loops in one.</summary>
public interface ILoopHost
{
    /// <summary>
    /// Starts <paramref name="body"/>. An exception that leaves it is a bug or a lost disk:
    /// the host hands it to its failure handler, which stops the process.
    /// </summary>
    ILoopHandle Start(string name, ILoopBody body);
}
