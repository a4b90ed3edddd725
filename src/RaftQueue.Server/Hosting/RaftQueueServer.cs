using Microsoft.Extensions.Configuration;
using RaftQueue.Runtime;

namespace RaftQueue.Server.Hosting;

/// <summary>One node as a process: <c>raftqueue serve</c>.</summary>
public static class RaftQueueServer
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int WrongUsage = 2;

    /// <summary>
    /// Runs until a signal, <paramref name="stop"/>, or the node's end. Returns the process's exit code: 0 stopped as asked, 1 failed,
    /// 2 a wrong setting or a data directory that is not this node's, with one line on standard error.
    /// </summary>
    /// <param name="args"><c>--config FILE</c> and settings (<c>--RaftQueue:NodeId=2</c>).</param>
    public static async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(args);
        IConfiguration configuration;
        try
        {
            configuration = ConfigurationSources.Build(args);
        }
        catch (SettingsException exception)
        {
            return await RefuseAsync(exception).ConfigureAwait(false);
        }

        return await RunAsync(configuration, stop).ConfigureAwait(false);
    }

    /// <summary>As the other, with the configuration as it is.</summary>
    public static async Task<int> RunAsync(IConfiguration configuration, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        // Before the node starts: a signal that comes while it does is as good as a later one.
        using var asked = new StopRequest(stop);
        try
        {
            ServerOptions options = SettingsReader.Read(configuration);
            RaftQueueHost host = await RaftQueueHost.StartAsync(options, LoggingOf(configuration)).ConfigureAwait(false);
            return await RunAsync(host, asked.Reason).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SettingsException or NodeStartException)
        {
            return await RefuseAsync(exception).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            await Console.Error.WriteLineAsync($"raftqueue: {OneLine(exception.Message)}").ConfigureAwait(false);
            return Failed;
        }
    }

    private static async Task<int> RunAsync(RaftQueueHost host, Task<string> asked)
    {
        await Task.WhenAny(asked, host.Ended).ConfigureAwait(false);
        if (!asked.IsCompleted && await host.Ended.ConfigureAwait(false) is { } why)
        {
            // Nothing of this process may answer any more, and a loop that is stuck would hold up an orderly end.
            await Console.Error.WriteLineAsync($"raftqueue: the node failed and stops: {OneLine(why.Message)}").ConfigureAwait(false);
            return Failed;
        }

        await host.StopAsync(asked.IsCompleted ? await asked.ConfigureAwait(false) : "the node ended").ConfigureAwait(false);
        return Done;
    }

    private static IConfigurationSection? LoggingOf(IConfiguration configuration)
    {
        IConfigurationSection logging = configuration.GetSection("Logging");
        return logging.Exists() ? logging : null;
    }

    private static async Task<int> RefuseAsync(Exception exception)
    {
        await Console.Error.WriteLineAsync($"raftqueue: {OneLine(exception.Message)}").ConfigureAwait(false);
        return WrongUsage;
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
