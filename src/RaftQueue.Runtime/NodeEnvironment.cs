using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// The world a node lives in: real in production, simulated in tests. With <see cref="InlineCompletions"/> whoever waits for an
/// answer goes on inside the loop that gives it, so that a simulation stays in one thread. <see cref="Usage"/> tells what the
/// calling thread has used; null where nobody can say. Where it <see cref="Rehearses"/>, what applying needs is
/// compiled before the first entry.
/// </summary>
public sealed record NodeEnvironment(
    IDisk Disk,
    IClock Clock,
    ILoopHost Loops,
    IRandomSource Random,
    INodeLog Log,
    Func<ITransferSource, NodePeers> Network,
    bool InlineCompletions = false,
    Func<ThreadUsage>? Usage = null,
    bool Rehearses = false);
