namespace RaftQueue.Runtime;

/// <summary>Where a node tells its operator what happened. Safe from any thread; never throws.</summary>
public interface INodeLog
{
    /// <summary>What an operator may want to know.</summary>
    void Info(string message);

    /// <summary>What an operator should look at.</summary>
    void Warning(string message);

    /// <summary>What stops this node or a part of it.</summary>
    void Error(string message, Exception? exception = null);
}
