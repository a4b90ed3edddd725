using Microsoft.Extensions.Logging;

namespace RaftQueue.Server.Observability;

/// <summary>What the server tells its operator; one line an event.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information,
        "raftqueue {Version}: node {NodeId} of cluster {ClusterId}, {Shards} shard(s), data in {DataDirectory}, HTTP at {Http}, peers at {Peer}")]
    public static partial void Starting(
        ILogger logger, string version, int nodeId, string clusterId, int shards, string dataDirectory, string http, string peer);

    [LoggerMessage(2, LogLevel.Information, "Durability is quorum-fsync: a reply means that the change is fsynced on a majority of the nodes")]
    public static partial void DurabilityFsync(ILogger logger);

    [LoggerMessage(3, LogLevel.Warning,
        "Durability is quorum-memory: a reply means that a majority has received the change, and each fsyncs it within 50 ms; "
        + "if a majority loses power or is killed by its kernel within that time, acknowledged jobs, acks and settings of the last moments are lost")]
    public static partial void DurabilityMemory(ILogger logger);

    [LoggerMessage(4, LogLevel.Information, "Listening for HTTP at {Address}")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(5, LogLevel.Warning, "Anyone who reaches {Http} may do everything: AllowAnonymous is true")]
    public static partial void Anonymous(ILogger logger, string http);

    [LoggerMessage(6, LogLevel.Information, "Stopping: {Reason}; handing over leadership and finishing what is under way, for at most {DrainMs} ms")]
    public static partial void Stopping(ILogger logger, string reason, int drainMs);

    [LoggerMessage(7, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(8, LogLevel.Critical, "The node stopped by itself: {Why}")]
    public static partial void NodeFailed(ILogger logger, Exception exception, string why);

    [LoggerMessage(9, LogLevel.Critical, "Loop {Loop} failed; the process ends, so that nothing wrong is answered")]
    public static partial void LoopFailed(ILogger logger, Exception exception, string loop);

    [LoggerMessage(10, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(11, LogLevel.Debug, "The client of {Path} left before it was answered")]
    public static partial void ClientLeft(ILogger logger, string path);

    [LoggerMessage(20, LogLevel.Information, "{Message}")]
    public static partial void Node(ILogger logger, string message);

    [LoggerMessage(21, LogLevel.Warning, "{Message}")]
    public static partial void NodeWarning(ILogger logger, string message);

    [LoggerMessage(22, LogLevel.Error, "{Message}")]
    public static partial void NodeError(ILogger logger, Exception? exception, string message);
}
