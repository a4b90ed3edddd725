using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using static RaftQueue.Processes.Tests.Told;

namespace RaftQueue.Processes.Tests;

/// <summary>The simulator's judges see in a history of real processes what they would see in a simulated one.</summary>
public sealed class JudgedHistoryTests
{
    [Fact]
    public void A_whole_life_breaks_nothing() => Assert.Empty(WholeLife().Broken());

    [Fact]
    public void An_accepted_job_that_a_node_does_not_have_is_lost()
    {
        Told told = WholeLife();
        told.Enqueued(2, 9);
        told.Final(1, (1, "succeeded"), (2, "dead"));
        told.Final(2, (1, "succeeded"));
        Assert.Contains("P1", told.Broken());
    }

    [Fact]
    public void A_job_whose_enqueue_was_refused_must_not_be()
    {
        Told told = WholeLife();
        told.Enqueue(2, Answer(503, null, Problem("no_leader")));
        told.Leased(2, 9, 8);
        Assert.Contains("P1", told.Broken());
    }

    [Fact]
    public void A_job_whose_enqueue_was_not_answered_may_be_or_not()
    {
        Told told = WholeLife();
        told.Enqueue(2, HttpAnswer.None);
        Assert.Empty(told.Broken());
        told.Leased(2, 9, 8);
        Assert.Empty(told.Broken());
    }

    [Fact]
    public void Two_leases_of_a_job_at_once_are_one_too_many()
    {
        Told told = WholeLife();
        told.Enqueued(2, 9);
        told.Leased(2, 10, 8);
        told.Leased(2, 11, 9);
        told.Final(1, (1, "succeeded"), (2, "dead"));
        told.Final(2, (1, "succeeded"), (2, "dead"));
        Assert.Equal(["P2"], told.Broken());
    }

    [Fact]
    public void A_job_that_is_done_is_not_given_out()
    {
        Told told = WholeLife();
        told.Leased(1, 9, 8);
        Assert.Contains("P3", told.Broken());
    }

    [Fact]
    public void A_read_that_is_older_than_what_was_answered_before_is_stale()
    {
        Told told = WholeLife();
        told.Read(1, Answer(200, "0:2", Text(Job(1), "ready", 1)));
        Assert.Contains("P6", told.Broken());
    }

    [Fact]
    public void A_key_has_one_job()
    {
        Told told = WholeLife();
        told.Enqueued(2, 9, key: "k");
        told.Enqueued(3, 10, key: "k");
        told.Final(1, (1, "succeeded"), (2, "dead"), (3, "dead"));
        told.Final(2, (1, "succeeded"), (2, "dead"), (3, "dead"));
        Assert.Contains("P9", told.Broken());
    }

    [Fact]
    public void Nothing_is_left_after_the_drain()
    {
        Told told = WholeLife();
        told.Enqueued(2, 9);
        told.Final(1, (1, "succeeded"), (2, "ready"));
        told.Final(2, (1, "succeeded"), (2, "ready"));
        Assert.Equal(["P11"], told.Broken());
    }

    [Fact]
    public void A_lease_that_the_log_does_not_hold_was_never_granted()
    {
        Told told = WholeLife();
        LogEntry[] entries = [.. Enumerable.Range(1, 7).Select(index => Start(1, index))];
        Dictionary<int, IReadOnlyList<LogEntry>> logs = new() { [1] = entries, [2] = entries };
        IReadOnlyList<(string Property, string? Finding)> judged = JudgedHistory.Judge(
            new History(told.Calls), new Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>>(), null, logs);
        Assert.Contains(judged, one => one.Property == "P10" && one.Finding?.Contains("does not stand in the log", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void An_answer_behind_the_end_of_the_log_is_lost()
    {
        Told told = WholeLife();
        Dictionary<int, IReadOnlyList<LogEntry>> logs = new() { [1] = [Start(1, 1)], [2] = [Start(1, 1)] };
        IReadOnlyList<(string Property, string? Finding)> judged = JudgedHistory.Judge(
            new History(told.Calls), new Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>>(), null, logs);
        Assert.Contains(judged, one => one.Property == "P1" && one.Finding?.Contains("the log ends at 1", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Logs_of_nodes_are_the_same()
    {
        Assert.Null(JudgedLogs([Start(1, 1), Start(2, 2)], [Start(1, 1), Start(2, 2)]));
        Assert.Contains("another entry 2", JudgedLogs([Start(1, 1), Start(2, 2)], [Start(1, 1), Start(3, 2)]), StringComparison.Ordinal);
        Assert.Contains("others 2", JudgedLogs([Start(1, 1), Start(2, 2)], [Start(1, 1)]), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_leaders_of_a_term_and_two_states_at_an_index_are_seen()
    {
        var raft = new RaftChecker();
        ClusterWatcher.Judge(raft, Status(1, "leader", 4, 10, "00000000000000aa"));
        ClusterWatcher.Judge(raft, Status(2, "follower", 4, 10, "00000000000000aa"));
        ClusterWatcher.Judge(raft, Status(2, "leader", 5, 11, "00000000000000bb"));
        Assert.Throws<PropertyViolatedException>(() => ClusterWatcher.Judge(raft, Status(2, "leader", 4, 12, "00000000000000cc")));
        Assert.Throws<PropertyViolatedException>(() => ClusterWatcher.Judge(raft, Status(3, "follower", 5, 11, "00000000000000ee")));
    }

    private static Told WholeLife()
    {
        Told told = new();
        told.Enqueued(1, 5);
        told.Leased(1, 6, 7);
        told.Acked(1, 7, 7);
        told.Final(1, (1, "succeeded"));
        told.Final(2, (1, "succeeded"));
        return told;
    }

    private static string? JudgedLogs(IReadOnlyList<LogEntry> one, IReadOnlyList<LogEntry> other) => JudgedHistory.Judge(
        new History([]),
        new Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>>(),
        null,
        new Dictionary<int, IReadOnlyList<LogEntry>> { [1] = one, [2] = other })[0].Finding;

    private static LogEntry Start(long term, long index) => LogEntry.TermStart(default, new Term(term), new LogIndex(index), 1_000 * index);

    private static byte[] Status(int node, string role, long term, long index, string hash) => Encoding.UTF8.GetBytes(
        $$"""{ "nodeId": {{node}}, "shards": [ { "id": 0, "role": "{{role}}", "term": {{term}}, "stateHash": { "index": {{index}}, "hash": "{{hash}}" } } ] }""");
}
