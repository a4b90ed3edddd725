using Microsoft.Extensions.Logging;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Observability;
using RaftQueue.Storage;
using RaftQueue.Transport;

namespace RaftQueue.Server.Hosting;

/// <summary>Starts a node in the real world: Linux's disk, the machine's clocks, threads, TCP.</summary>
internal static class NodeStarting
{
    private const long PagesPerMiB = 256;

    /// <param name="failed">Told of a bug or a lost disk; the process must end.</param>
    /// <exception cref="NodeStartException">The data directory or the peer address cannot be used.</exception>
    public static Node Start(ServerOptions options, ILogger logger, IClock clock, Action<Exception> failed)
    {
        var loops = new ThreadLoopHost(clock, (loop, exception) =>
        {
            ServerLog.LoopFailed(logger, exception, loop);
            failed(exception);
        });
        var environment = new NodeEnvironment(
            new LinuxDisk(),
            clock,
            loops,
            new SystemRandomSource(),
            new NodeLog(logger),
            transfers => Connect(options, transfers, failed),
            Usage: ProcessUsage.OfThread,
            Rehearses: true);
        return Node.Start(ToNodeOptions(options), environment);
    }

    private static NodePeers Connect(ServerOptions options, ITransferSource transfers, Action<Exception> failed)
    {
        try
        {
            var network = new TcpPeerNetwork(new TransportOptions
            {
                Self = new NodeId(options.NodeId),
                ListenAddress = options.Peer,
                OnBug = failed,
            })
            {
                TransferSource = transfers,
            };
            return new NodePeers(network, network.Transfers);
        }
        catch (System.Net.Sockets.SocketException exception)
        {
            throw new NodeStartException($"RaftQueue:Peer is \"{options.Peer}\", which cannot be listened at: {exception.Message}", exception);
        }
    }

    private static NodeOptions ToNodeOptions(ServerOptions options) => new()
    {
        ClusterId = options.ClusterId,
        NodeId = new NodeId(options.NodeId),
        DataDirectory = options.DataDirectory,
        PeerListen = options.Peer,
        HttpAdvertised = options.Members.First(member => member.Id == options.NodeId).Http,
        Members = [.. options.Members.Select(member => new MemberOptions(new NodeId(member.Id), member.Peer, member.Http))],
        Shards = options.Shards,
        HeartbeatMs = options.HeartbeatMs,
        ElectionTimeoutMs = options.ElectionTimeoutMs,
        Durability = options.QuorumMemory ? Durability.QuorumMemory : Durability.QuorumFsync,
        MemoryBudgetMiB = options.MemoryBudgetMiB,
        MaxPendingRequests = options.MaxPendingRequests,
        MaxPendingBytes = (long)options.MaxPendingMiB << 20,
        LeaderWaitMs = options.LeaderWaitMs,
        RequestTimeoutMs = options.RequestTimeoutMs,
        Settings = new ReplicatedSettings
        {
            StateHighWaterPages = options.MaxStateMiB * PagesPerMiB,
            IdempotencyWindowMs = options.Replicated.IdempotencyWindowMs,
            MaxIdempotencyKeys = options.Replicated.MaxIdempotencyKeys,
            MaxQueues = options.Replicated.MaxQueues,
            DefaultKeepMs = options.Replicated.KeepMs,
            DefaultKeepDeadMs = options.Replicated.KeepDeadMs,
            DefaultKeepFinished = options.Replicated.KeepFinished,
            DefaultMaxAttempts = options.Replicated.MaxAttempts,
            DefaultLeaseMs = options.Replicated.LeaseMs,
        },
    };
}
