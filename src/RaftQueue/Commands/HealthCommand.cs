using System.CommandLine;

namespace RaftQueue.Commands;

/// <summary>Asks one node whether it can serve: for containers' health checks, where no other HTTP client is at hand.</summary>
internal static class HealthCommand
{
    public static Command Build()
    {
        var url = new Argument<string>("URL") { Description = "The node's address; without a path, /healthz/ready is asked." };
        var command = new Command("health", "Exit 0 when a node is ready, 1 when it is not.") { url };
        command.SetAction(async (parsed, cancel) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
            {
                throw new UsageException($"\"{parsed.GetValue(url)}\" is no address like http://127.0.0.1:8080.");
            }

            (bool isReady, string answer) = await AskAsync(address, cancel);
            Console.Out.WriteLine(answer);
            return isReady ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>Whether the node says that it is ready, and in which words.</summary>
    public static async Task<(bool IsReady, string Answer)> AskAsync(Uri address, CancellationToken cancel)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            Uri target = address.AbsolutePath == "/" ? new Uri(address, "/healthz/ready") : address;
            using HttpResponseMessage response = await http.GetAsync(target, cancel);
            return (response.IsSuccessStatusCode, response.IsSuccessStatusCode ? "ready" : $"not ready: {(int)response.StatusCode}");
        }
        catch (HttpRequestException exception)
        {
            return (false, exception.Message);
        }
        catch (TaskCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            return (false, exception.Message);
        }
    }
}
