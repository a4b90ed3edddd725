using System.Net.Sockets;
using System.Text;
using RaftQueue.Bench;
using RaftQueue.Processes;
using static System.Diagnostics.Stopwatch;

namespace RaftQueue.Failover;

/// <summary>Enqueues one job after the other at one node, again at once when it is refused, until it is stopped.</summary>
internal sealed class Writer : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly ClusterNode _node;
    private readonly byte[] _request;
    private readonly Thread _thread;
    private readonly List<Confirmation> _confirmed = [];
    private volatile bool _stopping;
    private HttpSocket? _socket;

    public Writer(ClusterNode node, string queue)
    {
        _node = node;
        _request = HttpSocket.Request(node.Address, "POST", $"/v1/queues/{queue}/jobs", null, """{"payload":"failover"}"""u8);
        _thread = new Thread(Run) { Name = $"writer to node {node.Id}", IsBackground = true };
        _thread.Start();
    }

    public int Refused { get; private set; }

    public int Unknown { get; private set; }

    /// <summary>The first that was sent after this moment; null when there is none yet.</summary>
    public Confirmation? FirstSentAfter(long moment)
    {
        lock (_confirmed)
        {
            int at = _confirmed.FindIndex(confirmation => confirmation.Sent >= moment);
            return at < 0 ? null : _confirmed[at];
        }
    }

    /// <summary>Ends the writing; gives all that was confirmed.</summary>
    public IReadOnlyList<Confirmation> Stop()
    {
        _stopping = true;
        _thread.Join();
        return _confirmed;
    }

    public void Dispose() => _socket?.Dispose();

    private void Run()
    {
        while (!_stopping)
        {
            try
            {
                _socket ??= new HttpSocket(_node.Address, Timeout);
                long sent = GetTimestamp();
                int status = _socket.Exchange(_request);
                long answered = GetTimestamp();
                if (status == 201)
                {
                    lock (_confirmed) _confirmed.Add(new Confirmation(sent, answered, JobId(_socket.Body)));
                    continue;
                }

                if (status is 429 or 503) Refused++;
                else Unknown++;
            }
            catch (Exception exception) when (exception is SocketException or IOException)
            {
                Unknown++;
                _socket?.Dispose();
                _socket = null;
            }

            Thread.Sleep(1);
        }
    }

    private static string JobId(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> name = "\"id\":\""u8;
        ReadOnlySpan<byte> rest = body[(body.IndexOf(name) + name.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
    }
}
