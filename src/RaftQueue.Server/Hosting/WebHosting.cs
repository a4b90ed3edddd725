using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RaftQueue.Server.Endpoints;

namespace RaftQueue.Server.Hosting;

/// <summary>The HTTP listener and its routes.</summary>
internal static class WebHosting
{
    private const int MaxRequestLineBytes = 8 * 1024;
    private const int MaxHeadBytes = 32 * 1024;
    private const int MaxHeaders = 100;
    private const int BodySlackBytes = 64 * 1024;

    /// <summary>Builds everything but the routes, which need the node.</summary>
    public static WebApplication Build(ServerOptions options, IConfiguration? logging)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "RaftQueue.Server" });
        if (logging is not null) builder.Logging.AddConfiguration(logging);
        else builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(options.DrainMs + 1000));
        builder.WebHost.UseKestrelCore();
        // From the socket to the handler and back on one thread: no code on that way blocks, each hop to another costs a wake.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options));
        return builder.Build();
    }

    public static void MapRoutes(WebApplication app, ServerContext server)
    {
        Conventions.Use(app, server);
        JobEndpoints.Map(app, server);
        LeaseEndpoints.Map(app, server);
        TokenEndpoints.Map(app, server);
        QueueEndpoints.Map(app, server);
        ClusterEndpoints.Map(app, server);
        HealthEndpoints.Map(app, server);
        MetricsEndpoint.Map(app, server);
        LaterEndpoints.Map(app, server);
        OpenApiEndpoint.Map(app);
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        HttpLimits limits = options.HttpLimits;
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxConcurrentConnections = limits.MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeadBytes;
        kestrel.Limits.MaxRequestHeaderCount = MaxHeaders;
        // The endpoints check the limit themselves, with an answer that says so, and drop what comes behind it; this is the net below.
        kestrel.Limits.MaxRequestBodySize = Math.Max(BodyReading.MaxDiscardBytes, options.Limits.BodyBytes + BodySlackBytes);
        kestrel.Limits.MinRequestBodyDataRate =
            new MinDataRate(limits.MinBodyBytesPerSecond, TimeSpan.FromMilliseconds(limits.BodyGraceMs));
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMilliseconds(limits.KeepAliveMs);
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromMilliseconds(limits.HeadersTimeoutMs);
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        if (options.Http.Address is { } address) kestrel.Listen(new IPEndPoint(address, options.Http.Port));
        else if (options.Http.Port == 0) kestrel.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        else kestrel.ListenLocalhost(options.Http.Port);
    }

    /// <summary>Whoever starts the host stops it; it listens for no signals of its own.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
