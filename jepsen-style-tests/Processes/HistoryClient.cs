using System.Globalization;
using RaftQueue.Checkers;
using RaftQueue.Jobs;

namespace RaftQueue.Processes;

/// <summary>
/// A client that does a bit of everything at any of the nodes until it is stopped: enqueues jobs that nobody else has, some under unique
/// and idempotency keys, takes and finishes some, and looks. A thread of its own.
/// </summary>
internal sealed class HistoryClient
{
    private const int MostTries = 5;
    private const int MostKnown = 200;
    private const int MostThinkMs = 20;
    private const int UniqueKeys = 6;
    private const int ImpatientMs = 150; // gives up while its call goes on, and comes again

    private readonly int _number;
    private readonly IReadOnlyList<ClusterNode> _nodes;
    private readonly SharedHistory _history;
    private readonly Random _random;
    private readonly List<JobId> _known = [];
    private readonly Thread _thread;
    private volatile bool _stopping;
    private Exception? _failure;
    private int _made;

    /// <param name="number">Different for each client; names its payloads and keys.</param>
    /// <param name="nodes">Whom it asks.</param>
    /// <param name="history">Where its calls are noted.</param>
    /// <param name="seed">Of its choices.</param>
    public HistoryClient(int number, IReadOnlyList<ClusterNode> nodes, SharedHistory history, int seed)
    {
        (_number, _nodes, _history) = (number, nodes, history);
        _random = new Random(seed);
        _thread = new Thread(Run) { Name = $"client {number}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Longer than a node waits for a leader.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(4);

    /// <summary>The queues that clients use.</summary>
    public static IReadOnlyList<string> Queues { get; } = ["first", "second"];

    /// <summary>Ends it after the present step. Throws what went wrong in it.</summary>
    public void Stop()
    {
        _stopping = true;
        _thread.Join();
        if (_failure is not null) throw new InvalidOperationException($"client {_number}: {_failure.Message}", _failure);
    }

    private void Run()
    {
        using var caller = new HistoryCaller(_number, _history, _number % 2 == 0 ? Patience : TimeSpan.FromMilliseconds(ImpatientMs));
        try
        {
            while (!_stopping)
            {
                Step(caller);
                Thread.Sleep(_random.Next(MostThinkMs));
            }
        }
        catch (Exception exception)
        {
            _failure = exception; // told by who stops it
        }
    }

    private void Step(HistoryCaller caller)
    {
        int at = _random.Next(100);
        if (at < 48 || _known.Count == 0) Enqueue(caller);
        else if (at < 85) Work(caller);
        else if (at < 97) caller.Read(Node(), Known(), stale: OneIn(4));
        else caller.Cancel(Node(), Known());
    }

    /// <summary>With a key it is sent again, to any node, until somebody says what became of it.</summary>
    private void Enqueue(HistoryCaller caller)
    {
        int number = ++_made;
        string? key = OneIn(2) ? string.Create(CultureInfo.InvariantCulture, $"c{_number}-{number}") : null;
        string queue = Queues[_random.Next(Queues.Count)];
        string? unique = OneIn(4) ? string.Create(CultureInfo.InvariantCulture, $"u{_random.Next(UniqueKeys)}") : null;
        UniqueUntil until = OneIn(3) ? UniqueUntil.Leased : UniqueUntil.Finished;
        ConflictChoice choice = OneIn(3) ? ConflictChoice.Reject : ConflictChoice.Return;
        long? delayMs = OneIn(5) ? 50 + _random.Next(1_500) : null;
        for (int tries = 0; tries < MostTries; tries++)
        {
            Operation call = caller.Enqueue(
                Node(),
                queue,
                new AskedJob
                {
                    Payload = string.Create(CultureInfo.InvariantCulture, $"\"job {_number}-{number}\""),
                    UniqueKey = unique,
                    Until = until,
                    OnConflict = choice,
                    DelayMs = delayMs,
                },
                key);
            if (call.Jobs[0].Job is { } job) Know(job);
            if (call.End == OperationEnd.Applied || key is null || _stopping) return;
        }
    }

    /// <summary>Takes some jobs and does with each what workers do: most often it is done, sometimes nobody hears of it again.</summary>
    private void Work(HistoryCaller caller)
    {
        Operation lease = caller.Lease(
            Node(), Queues[_random.Next(Queues.Count)], 1 + _random.Next(4), leaseMs: 400 + _random.Next(2_000), waitMs: OneIn(2) ? 0 : _random.Next(300));
        foreach (Grant grant in lease.Grants)
        {
            Know(grant.Job);
            int at = _random.Next(100);
            if (at < 10) continue;
            if (at < 22) caller.OnLease(Node(), OperationKind.Extend, grant, 500 + _random.Next(1_500));
            if (at >= 90) caller.OnLease(Node(), OperationKind.Nack, grant, _random.Next(600));
            else if (at >= 85) caller.OnLease(Node(), OperationKind.Release, grant, null);
            else Ack(caller, grant);
        }
    }

    /// <summary>A repeat of an ack is told the same: sent again until somebody says what became of it.</summary>
    private void Ack(HistoryCaller caller, Grant grant)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            if (caller.OnLease(Node(), OperationKind.Ack, grant, null).End == OperationEnd.Applied || _stopping) return;
        }
    }

    private void Know(JobId job)
    {
        if (_known.Count < MostKnown) _known.Add(job);
        else _known[_random.Next(MostKnown)] = job;
    }

    private JobId Known() => _known[_random.Next(_known.Count)];

    private ClusterNode Node() => _nodes[_random.Next(_nodes.Count)];

    private bool OneIn(int many) => _random.Next(many) == 0;
}
