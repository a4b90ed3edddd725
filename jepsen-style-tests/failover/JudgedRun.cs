using System.Diagnostics;
using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Processes;

namespace RaftQueue.Failover;

/// <summary>
/// Clients do a bit of everything while nodes are killed and paused; then everything heals and drains, and the history, what each node has at the
/// end, and the nodes' logs come before the simulator's judges.
/// </summary>
internal sealed class JudgedRun(Cluster cluster, Verdict verdict, string directory, int seed)
{
    private const int Clients = 6;
    private const int Drainer = Clients + 1;
    private const int DrainLeaseMs = 60_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(400);

    private readonly SharedHistory _history = new();
    private readonly Random _random = new(seed);

    /// <param name="faults">How many, one after the other.</param>
    public void Run(int faults)
    {
        cluster.WaitUntilEven();
        var watcher = new ClusterWatcher(cluster.All);
        List<HistoryClient> clients = [.. Enumerable.Range(1, Clients).Select(number => new HistoryClient(number, cluster.All, _history, _random.Next()))];
        for (int fault = 0; fault < faults; fault++)
        {
            Thread.Sleep(Calm);
            Make(fault);
        }

        long healedNs = _history.NowNs();
        Thread.Sleep(Calm);
        foreach (HistoryClient client in clients) client.Stop();
        using var caller = new HistoryCaller(Drainer, _history, HistoryClient.Patience);
        Drain(caller);
        (long last, bool same) = WaitUntilSame();
        verdict.Check($"judged run: all nodes applied {last} entries and have the same state", same);
        IReadOnlySet<JobId> jobs = JudgedHistory.JobsOf(_history.Calls());
        var finalJobs = cluster.All.ToDictionary(node => node.Id, node => (IReadOnlyDictionary<JobId, JobSnapshot>)caller.ReadAll(node, jobs));
        watcher.Stop();
        verdict.Check($"judged run: P10 as {watcher.Answers} answers of nodes tell: {watcher.Finding}", watcher is { Finding: null, Answers: > 0 });
        cluster.KillAll();
        Judge(finalJobs, healedNs, last);
    }

    private void Make(int fault)
    {
        ClusterNode leader = Leader();
        List<ClusterNode> others = [.. cluster.All.Where(node => node != leader)];
        switch (fault % 5)
        {
            case 0:
                Kill(leader);
                break;
            case 1:
                leader.Send(Signals.Stop);
                Thread.Sleep(800 + _random.Next(1_200));
                leader.Send(Signals.Continue);
                break;
            case 2:
                Kill([.. cluster.All]);
                break;
            case 3:
                Kill(leader, others[_random.Next(others.Count)]);
                break;
            default:
                Kill(others[_random.Next(others.Count)]);
                break;
        }
    }

    private void Kill(params ClusterNode[] nodes)
    {
        foreach (ClusterNode node in nodes) node.Send(Signals.Kill);
        foreach (ClusterNode node in nodes) node.WaitForEnd();
        Thread.Sleep(_random.Next(700));
        foreach (ClusterNode node in nodes) node.Start();
        foreach (ClusterNode node in nodes) verdict.Check($"judged run: node {node.Id} is ready after it was killed", node.WaitUntilReady(Patience));
    }

    /// <summary>Whom most nodes take for the leader; any node when nobody says.</summary>
    private ClusterNode Leader()
    {
        int leader = cluster.All.Select(node => node.Cluster()?.Leader ?? 0).Where(id => id > 0).GroupBy(id => id).MaxBy(group => group.Count())?.Key ?? 0;
        return cluster.All.FirstOrDefault(node => node.Id == leader) ?? cluster.All[_random.Next(cluster.All.Count)];
    }

    /// <summary>Takes and finishes everything, also what is leased or waits for its time.</summary>
    private void Drain(HistoryCaller caller)
    {
        long start = Stopwatch.GetTimestamp();
        int turn = 0;
        foreach (string queue in HistoryClient.Queues)
        {
            while (Stopwatch.GetElapsedTime(start) < Patience)
            {
                ClusterNode node = cluster.All[turn++ % cluster.All.Count];
                Operation lease = caller.Lease(node, queue, 1000, DrainLeaseMs, waitMs: 200);
                foreach (Grant grant in lease.Grants) caller.OnLease(node, OperationKind.Ack, grant, null);
                if (lease.Grants.Count == 0 && Jobs.CountUnfinished(node, queue) == 0) break;
            }
        }
    }

    /// <summary>The last entry, and whether every node has applied it with the same hash in time.</summary>
    private (long Last, bool Same) WaitUntilSame()
    {
        cluster.WaitUntilEven();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            List<(long Last, long Applied, string Hash)?> states = [.. cluster.All.Select(node => node.State())];
            bool even = states.TrueForAll(state => state is { } known && known.Applied == known.Last && known == states[0]);
            if (even) return (states[0]!.Value.Last, true);
            Thread.Sleep(20);
        }

        return (0, false);
    }

    private void Judge(Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> finalJobs, long healedNs, long last)
    {
        string file = Path.Combine(directory, "history.jsonl");
        using (var into = new StreamWriter(file)) HistoryFile.Write(into, _history.Calls());
        using var from = new StreamReader(file);
        History history = HistoryFile.Read(from);
        var logs = new Dictionary<int, IReadOnlyList<LogEntry>>();
        foreach (ClusterNode node in cluster.All)
        {
            List<LogEntry>? log = LogFiles.Read(node.DataDirectory);
            verdict.Check($"judged run: the log of node {node.Id} holds every entry to {last}", log is not null && log.Count >= last);
            if (log is not null) logs.Add(node.Id, [.. log.TakeWhile(entry => entry.Index.Value <= last)]);
        }

        Tell(history.Operations, finalJobs, last);
        bool good = true;
        foreach ((string property, string? finding) in JudgedHistory.Judge(history, finalJobs, healedNs, logs))
        {
            verdict.Check($"judged run, seed {seed}: {finding ?? property}", finding is null);
            good &= finding is null;
        }

        if (good) return;
        string kept = Path.Combine(Path.GetTempPath(), $"raftqueue-history-{seed}.jsonl");
        File.Copy(file, kept, overwrite: true);
        Console.WriteLine($"the history of the judged run: {kept}");
    }

    private static void Tell(IReadOnlyList<Operation> calls, Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> finalJobs, long entries)
    {
        IEnumerable<string> kinds = calls.GroupBy(call => call.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Count()}");
        Console.WriteLine(
            $"judged run: {calls.Count:N0} calls ({string.Join(", ", kinds)}), {calls.Count(call => call.Type == "info"):N0} of them without a definite answer, "
            + $"{calls.Count(call => call.Type == "fail"):N0} refused, {calls.Count(call => call.Replayed):N0} replays, {entries:N0} entries, {finalJobs.Values.First().Count:N0} jobs on every node");
    }
}
