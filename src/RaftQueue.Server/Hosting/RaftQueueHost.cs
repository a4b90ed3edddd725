using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RaftQueue.Runtime;
using RaftQueue.Server.Endpoints;
using RaftQueue.Server.Observability;

namespace RaftQueue.Server.Hosting;

/// <summary>One node with its HTTP interface, running.</summary>
public sealed class RaftQueueHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ServerContext _server;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource<Exception?> _ended;
    private readonly Lock _stopGate = new();
    private Task? _stopped;

    private RaftQueueHost(WebApplication app, ServerContext server, ILogger logger, TaskCompletionSource<Exception?> ended)
    {
        _app = app;
        _server = server;
        _logger = logger;
        _ended = ended;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Where HTTP is listened for, with the port that was found.</summary>
    public Uri Address { get; }

    public Node Node => _server.Node;

    /// <summary>Requests that are not answered yet, those that wait included.</summary>
    public int RequestsUnderWay => _server.UnderWay;

    /// <summary>What its endpoints share, for the tests that begin a stop and do not end it.</summary>
    internal ServerContext Server => _server;

    /// <summary>Completes when the node stopped by itself: with the bug or the lost disk, or null.</summary>
    public Task<Exception?> Ended => _ended.Task;

    /// <summary>Opens the data directory, starts the node and listens.</summary>
    /// <param name="logging">The configuration's section <c>Logging</c>, if any.</param>
    /// <exception cref="NodeStartException">The node cannot start as configured.</exception>
    /// <exception cref="IOException">The HTTP address cannot be listened at.</exception>
    public static async Task<RaftQueueHost> StartAsync(ServerOptions options, IConfiguration? logging = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        WebApplication app = WebHosting.Build(options, logging);
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        ILogger logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("RaftQueue");
        Announce(options, logger);
        var clock = new SystemClock();
        Node? node = null;
        try
        {
            node = NodeStarting.Start(options, logger, clock, exception => ended.TrySetResult(exception));
            var server = new ServerContext(node, options, clock, logger);
            WebHosting.MapRoutes(app, server);
            await app.StartAsync().ConfigureAwait(false);
            var host = new RaftQueueHost(app, server, logger, ended);
            ServerLog.Listening(logger, host.Address.ToString());
            _ = host.WatchAsync();
            return host;
        }
        catch
        {
            if (node is not null) await node.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Takes no more connections, answers what waits, hands over leadership, lets what is under way finish, and closes. Idempotent.
    /// </summary>
    public Task StopAsync(string reason)
    {
        lock (_stopGate) return _stopped ??= StopOnceAsync(reason);
    }

    public async ValueTask DisposeAsync() => await StopAsync("disposed").ConfigureAwait(false);

    private static void Announce(ServerOptions options, ILogger logger)
    {
        string version = typeof(RaftQueueHost).Assembly.GetName().Version?.ToString(3) ?? "";
        ServerLog.Starting(
            logger, version, options.NodeId, options.ClusterId, options.Shards, options.DataDirectory, options.Http.Text, options.Peer);
        if (options.QuorumMemory) ServerLog.DurabilityMemory(logger);
        else ServerLog.DurabilityFsync(logger);
        if (!options.Http.IsLoopback) ServerLog.Anonymous(logger, options.Http.Text);
    }

    private async Task WatchAsync()
    {
        Exception? why = await Node.Completion.ConfigureAwait(false);
        if (why is not null) ServerLog.NodeFailed(_logger, why, why.Message);
        _ended.TrySetResult(why);
    }

    private async Task StopOnceAsync(string reason)
    {
        ServerLog.Stopping(_logger, reason, _server.Options.DrainMs);
        _server.BeginStop();
        // Both at once: requests that came before the stop are still decided while leadership moves on.
        Task http = _app.StopAsync();
        await Node.StopAsync(TimeSpan.FromMilliseconds(_server.Options.DrainMs)).ConfigureAwait(false);
        await http.ConfigureAwait(false);
        ServerLog.Stopped(_logger);
        await _app.DisposeAsync().ConfigureAwait(false);
        _server.Dispose();
    }
}
