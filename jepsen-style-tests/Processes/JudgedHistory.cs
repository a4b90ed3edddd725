using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Processes;

/// <summary>A history of real processes before the judges of the simulator.</summary>
internal static class JudgedHistory
{
    /// <summary>Within so long after the last fault something is acknowledged.</summary>
    private const long RecoveryNs = 20_000_000_000;

    /// <summary>What each property's checker says: null when it holds.</summary>
    /// <param name="history">All calls.</param>
    /// <param name="finalJobs">By node: every job that any call named, after the drain.</param>
    /// <param name="healedNs">When the last fault had ended.</param>
    /// <param name="logs">By node: its log up to the last entry that is committed; none when only the history is known.</param>
    public static IReadOnlyList<(string Property, string? Finding)> Judge(
        History history,
        IReadOnlyDictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> finalJobs,
        long? healedNs,
        IReadOnlyDictionary<int, IReadOnlyList<LogEntry>> logs)
    {
        var found = new List<(string, string?)>();
        Truth? truth = null;
        if (logs.Count > 0)
        {
            IReadOnlyList<LogEntry> log = logs.Values.First();
            found.Add(("P10", Try(() => CheckLogs(logs))));
            string? lost = Try(() => CheckAnswers(history, log.Count));
            found.Add(("P1", lost));
            // Behind the end of the log there is nothing to compare answers with.
            if (lost is null) found.Add(("P10", Try(() => truth = Truth.Replay(history, [[.. log.Select(entry => entry.Bytes)]]))));
        }

        var record = new RunRecord(history) { FinalJobs = finalJobs, HealedNs = healedNs, RecoveryNs = RecoveryNs, Truth = truth };
        found.AddRange(Verdicts.Of(record));
        // Nodes are killed all the time: any of them may have died before it gave a lease back.
        if (truth is not null) found.Add(("P2", Try(() => DefiniteChecker.Check(record, static _ => true))));
        return found;
    }

    /// <summary>Every job that a call or an answer named.</summary>
    public static IReadOnlySet<JobId> JobsOf(IEnumerable<Operation> calls)
    {
        var ids = new HashSet<JobId>();
        foreach (Operation call in calls)
        {
            if (call.Job is { } job) ids.Add(job);
            foreach (AskedJob asked in call.Jobs)
            {
                if (asked.Job is { } named) ids.Add(named);
            }

            foreach (Grant grant in call.Grants) ids.Add(grant.Job);
        }

        return ids;
    }

    /// <summary>What was answered stands in the log.</summary>
    private static void CheckAnswers(History history, long last)
    {
        foreach (Operation call in history.Operations)
            Require.That(call.Index.Value <= last, $"P1: the log ends at {last}: {call}");
    }

    /// <summary>All logs are the same.</summary>
    private static void CheckLogs(IReadOnlyDictionary<int, IReadOnlyList<LogEntry>> logs)
    {
        var raft = new RaftChecker();
        foreach ((int node, IReadOnlyList<LogEntry> entries) in logs)
        {
            foreach (LogEntry entry in entries) raft.Committed(default, new NodeId(node), entry.Index.Value, Crc32C.Compute(entry.Bytes.Span));
            Require.That(entries.Count == logs.Values.First().Count, $"P10: node {node} has {entries.Count} entries, others {logs.Values.First().Count}");
        }
    }

    private static string? Try(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (PropertyViolatedException violated)
        {
            return violated.Message;
        }
    }
}
