using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace RaftQueue.Bench;

/// <summary>One connection of a run, on a thread of its own: one request at a time, the next when the reply is there.</summary>
internal sealed class BenchConnection(BenchTally tally, BenchOptions options, Uri[] servers, int number) : IDisposable
{
    private const int MostEmptyLeases = 50;
    private const int RetryPauseMs = 20;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(15);

    private readonly BenchRequests[] _requests = [.. servers.Select(server => new BenchRequests(server, options))];
    private readonly BenchPace _pace = new(options, number);
    private readonly Random _delays = new(number + 1);
    private int _server = number % servers.Length;
    private HttpSocket? _socket;

    public LatencyHistogram Enqueues { get; } = new();

    public LatencyHistogram Leases { get; } = new();

    public LatencyHistogram Acks { get; } = new();

    private BenchRequests Requests => _requests[_server];

    /// <summary>Runs to the end of the work or the time. What goes wrong ends the whole run and is kept in the tally.</summary>
    public void Run()
    {
        try
        {
            Connect();
            if (options.Mode == BenchMode.Cycle) Cycle();
            else if (options.Mode == BenchMode.Reschedule) Reschedule();
            else
            {
                while (tally.TryTakeBatch()) Enqueue(_pace.Await());
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            tally.Fail(exception.Message);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _socket?.Dispose();

    private void Cycle()
    {
        bool more = true;
        int empty = 0;
        while (!tally.IsOver && empty < MostEmptyLeases)
        {
            more = more && tally.TryTakeBatch();
            if (more) Enqueue(_pace.Await());
            if (LeaseAndAck(more)) empty = 0;
            else if (!more && tally.Acked >= tally.Enqueued) return;
            else if (!more) empty++;
        }
    }

    private void Reschedule()
    {
        int empty = 0;
        while (empty < MostEmptyLeases && tally.TryTakeBatch())
        {
            if (!Send(static requests => requests.LeaseAhead, Leases, _pace.Await())) continue;
            if (!Finish(_delays)) empty++;
            else empty = 0;
        }

        if (empty == MostEmptyLeases) tally.Fail("there are no jobs to reschedule");
    }

    private void Enqueue(long start)
    {
        byte[]? made = null;
        if (Send(requests => made ??= requests.Enqueue(_delays), Enqueues, start)) tally.AddEnqueued(options.Batch);
    }

    private bool LeaseAndAck(bool more)
    {
        long start = Stopwatch.GetTimestamp();
        return Send(more ? static requests => requests.Lease : static requests => requests.LeaseWaiting, Leases, start) && Finish(null);
    }

    /// <summary>Acknowledges what was leased, or schedules it again. False: there was nothing.</summary>
    private bool Finish(Random? delays)
    {
        if (Requests.Finish(_socket!.Body, delays, out int jobs) is not { } finish) return false;
        if (!Send(_ => finish, Acks, Stopwatch.GetTimestamp())) return true;
        int finished = BenchRequests.Finished(_socket.Body);
        tally.AddAcked(finished);
        if (finished != jobs) tally.Fail($"Of {jobs} jobs {finished} could be finished: {Text(_socket.Body)}");
        return true;
    }

    /// <summary>Sends until it is decided. False: the outcome is unknown.</summary>
    private bool Send(Func<BenchRequests, byte[]> request, LatencyHistogram latencies, long start)
    {
        while (!tally.IsOver)
        {
            try
            {
                int status = _socket!.Exchange(request(Requests));
                if (status is 200 or 201)
                {
                    latencies.Record(Stopwatch.GetTimestamp() - start);
                    return true;
                }

                if (status is not (429 or 503))
                {
                    tally.AddUnknown();
                    if (status < 500) tally.Fail($"The server answered {status}: {Text(_socket.Body)}");
                    return false;
                }

                tally.AddRefused();
                Thread.Sleep(RetryPauseMs);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                tally.AddUnknown();
                Connect();
                return false;
            }
        }

        return false;
    }

    /// <summary>Connects to the server that this connection had, or else to the next that answers.</summary>
    private void Connect()
    {
        _socket?.Dispose();
        _socket = null;
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                _socket = new HttpSocket(servers[_server], Timeout);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < ConnectPatience)
            {
                _server = (_server + 1) % servers.Length;
                Thread.Sleep(RetryPauseMs);
            }
        }
    }

    private static string Text(ReadOnlySpan<byte> body) => Encoding.UTF8.GetString(body[..Math.Min(body.Length, 500)]);
}
