using Microsoft.Extensions.Logging;
using RaftQueue.Runtime;
using RaftQueue.Server.Observability;

namespace RaftQueue.Server.Hosting;

/// <summary>Passes what the node says on to the process's log.</summary>
internal sealed class NodeLog(ILogger logger) : INodeLog
{
    public void Info(string message) => ServerLog.Node(logger, message);

    public void Warning(string message) => ServerLog.NodeWarning(logger, message);

    public void Error(string message, Exception? exception = null) => ServerLog.NodeError(logger, exception, message);
}
