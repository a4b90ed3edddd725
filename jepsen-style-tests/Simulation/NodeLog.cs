using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Keeps what nodes tell, for the message of a failing test.</summary>
internal sealed class NodeLog(int node, List<string> lines, Func<long> nowMicroseconds) : INodeLog
{
    public void Info(string message) => Add("info", message, null);

    public void Warning(string message) => Add("warn", message, null);

    public void Error(string message, Exception? exception = null) => Add("FAIL", message, exception);

    private void Add(string level, string message, Exception? exception) =>
        lines.Add($"{nowMicroseconds() / 1000,8} ms  node {node} {level}  {message} {exception}");
}
