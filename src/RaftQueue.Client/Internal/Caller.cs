using System.Net.Http.Headers;
using System.Text.Json;

namespace RaftQueue.Client;

/// <summary>
/// Sends a request to one server after the other until it is answered for good. Every request that comes here may be repeated:
/// it reads, it is idempotent by itself, or it carries an Idempotency-Key. Thread-safe.
/// </summary>
internal sealed class Caller : IDisposable
{
    private readonly RaftQueueClientOptions _options;
    private readonly Uri[] _servers;
    private readonly HttpClient _http;
    private int _preferred;

    public Caller(RaftQueueClientOptions options)
    {
        if (options.Servers.Count == 0) throw new ArgumentException("At least one server is needed.", nameof(options));
        _options = options;
        _servers = [.. options.Servers.Select(AsBase)];
        _preferred = Random.Shared.Next(_servers.Length);
        _http = new HttpClient(options.Handler ?? OwnHandler(), disposeHandler: options.Handler is null) { Timeout = Timeout.InfiniteTimeSpan };
        if (options.Token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Token);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends until there is a successful answer.</summary>
    /// <exception cref="RaftQueueException">The server refused, or the time for repeats ran out.</exception>
    public async Task<Answer> SendAsync(Call call, CancellationToken cancel)
    {
        long deadline = Environment.TickCount64 + (long)(_options.RetryFor + call.Wait).TotalMilliseconds;
        bool unknown = false;
        int first = Volatile.Read(ref _preferred);
        for (int attempt = 0; ; attempt++)
        {
            int server = (first + attempt) % _servers.Length;
            Try result = await TryAsync(call, _servers[server], cancel).ConfigureAwait(false);
            if (result.Answer is { IsSuccess: true } answer)
            {
                Volatile.Write(ref _preferred, server);
                return answer;
            }

            unknown |= result.IsUnknown && !call.IsRead;
            RaftQueueException error = result.Error(unknown);
            if (result.IsFinal) throw error;
            TimeSpan pause = Pause(result, attempt);
            if (Environment.TickCount64 + pause.TotalMilliseconds >= deadline) throw error;
            if (pause > TimeSpan.Zero) await Task.Delay(pause, cancel).ConfigureAwait(false);
        }
    }

    private async Task<Try> TryAsync(Call call, Uri server, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(_options.RequestTimeout + call.Wait);
        using var request = new HttpRequestMessage(call.Method, new Uri(server, call.Path));
        if (call.Body is not null)
        {
            request.Content = new ByteArrayContent(call.Body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        if (call.IdempotencyKey is not null) request.Headers.Add("Idempotency-Key", call.IdempotencyKey);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, timeout.Token).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(timeout.Token).ConfigureAwait(false);
            return Judge(server, new Answer((int)response.StatusCode, body), response.Headers.RetryAfter?.Delta);
        }
        catch (OperationCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            return Try.Broken(server, "no answer in time", exception, connected: true);
        }
        catch (HttpRequestException exception)
        {
            bool connected = exception.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError);
            return Try.Broken(server, exception.Message, exception, connected);
        }
        catch (IOException exception)
        {
            return Try.Broken(server, exception.Message, exception, connected: true);
        }
    }

    private static Try Judge(Uri server, Answer answer, TimeSpan? retryAfter)
    {
        if (answer.IsSuccess) return new Try(server) { Answer = answer };
        Problem? problem = null;
        try
        {
            problem = JsonSerializer.Deserialize(answer.Body, ClientJson.Default.Problem);
        }
        catch (JsonException)
        {
            // Not the server's own error, but a proxy's, for instance: it is judged as one without a code.
            problem = null;
        }

        if (problem?.RetryAfterMs is { } milliseconds) retryAfter = TimeSpan.FromMilliseconds(milliseconds);
        return new Try(server) { Answer = answer, Problem = problem, RetryAfter = retryAfter };
    }

    private TimeSpan Pause(Try result, int attempt)
    {
        int round = attempt / _servers.Length;
        bool lastOfRound = attempt % _servers.Length == _servers.Length - 1;
        if (result.Answer is null && !result.IsUnknown && !lastOfRound) return TimeSpan.Zero;
        double most = Math.Min(_options.RetryMax.TotalMilliseconds, _options.RetryBase.TotalMilliseconds * Math.Pow(2, Math.Min(round, 16)));
        TimeSpan pause = TimeSpan.FromMilliseconds(most * (0.5 + Random.Shared.NextDouble() / 2));
        return result.Problem?.Code == "overloaded" && result.RetryAfter is { } asked && asked > pause ? asked : pause;
    }

    private static SocketsHttpHandler OwnHandler() => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
    };

    private static Uri AsBase(Uri server)
    {
        if (!server.IsAbsoluteUri || server.Scheme is not ("http" or "https")) throw new ArgumentException($"{server} is not an http address.");
        return server.AbsoluteUri.EndsWith('/') ? server : new Uri(server.AbsoluteUri + "/");
    }
}
