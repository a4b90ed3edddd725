using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Keeps what a node tells, for the message of a failing run.</summary>
internal sealed class NodeLog(int node, Timeline timeline) : INodeLog
{
    public void Info(string message) => timeline.Add(node, message);

    public void Warning(string message) => timeline.Add(node, $"warning: {message}");

    public void Error(string message, Exception? exception = null) => timeline.Add(node, $"ERROR: {message} {exception}");
}
