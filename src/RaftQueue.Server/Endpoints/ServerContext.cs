using Microsoft.Extensions.Logging;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Hosting;

namespace RaftQueue.Server.Endpoints;

/// <summary>What all endpoints of one node share. Safe from any thread.</summary>
public sealed class ServerContext : IDisposable
{
    private const int PooledPerKind = 256;
    private readonly CancellationTokenSource _stopping = new();
    private int _underWay;

    public ServerContext(Node node, ServerOptions options, IClock clock, ILogger logger)
    {
        Node = node;
        Options = options;
        Clock = clock;
        Logger = logger;
        Scratch = new BoundedPool<RequestScratch>(static () => new RequestScratch(), PooledPerKind);
        Replies = new BoundedPool<ReplyWriter>(static () => new ReplyWriter(), PooledPerKind);
        Bodies = new BodyBudget((long)options.HttpLimits.MaxBodiesMiB << 20);
        JobWaits = new WaitBudget(2 * options.HttpLimits.MaxConnections);
    }

    public Node Node { get; }

    public ServerOptions Options { get; }

    public RequestLimits Limits => Options.Limits;

    public int Shards => Options.Shards;

    public IClock Clock { get; }

    public ILogger Logger { get; }

    public BoundedPool<RequestScratch> Scratch { get; }

    public BoundedPool<ReplyWriter> Replies { get; }

    public BodyBudget Bodies { get; }

    /// <summary>Held <c>GET /v1/jobs/{id}?waitMs=</c>, those of clients that left included.</summary>
    public WaitBudget JobWaits { get; }

    /// <summary>Requests that are not answered yet.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>Cancelled when the node stops: what waits is answered with what there is.</summary>
    public CancellationToken Stopping => _stopping.Token;

    internal void Enter() => Interlocked.Increment(ref _underWay);

    internal void Leave() => Interlocked.Decrement(ref _underWay);

    /// <summary>Ends all waiting. Idempotent.</summary>
    public void BeginStop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();
}
