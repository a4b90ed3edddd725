using System.Diagnostics;
using System.Text.Json;
using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>The parts of a run, one after the other on one cluster.</summary>
internal sealed class ScaleRun
{
    private const string Queue = "scheduled";
    private const int MostRateSeconds = 20;
    private const int MostOtherSeconds = 120;
    private static readonly TimeSpan RepairPatience = TimeSpan.FromMinutes(20);

    private readonly ScaleOptions _options;
    private readonly Verdict _verdict;
    private readonly Cluster _cluster;
    private readonly Bench _bench;
    private readonly Measurements _measurements;

    private ScaleRun(ScaleOptions options, Verdict verdict, Cluster cluster)
    {
        _options = options;
        _verdict = verdict;
        _cluster = cluster;
        _bench = new Bench(options.Program, cluster);
        _measurements = new Measurements(cluster, verdict, options);
    }

    /// <summary>Few jobs: what the large cluster is compared with.</summary>
    public static void Few(ScaleOptions options, Verdict verdict)
    {
        using Cluster cluster = Start(options, "few");
        var run = new ScaleRun(options, verdict, cluster);
        run.Load(options.FewJobs);
        run.Churn(options.FewJobs, Math.Min(options.Seconds, 60));
        cluster.KillAll();
    }

    public static void Many(ScaleOptions options, Verdict verdict)
    {
        using Cluster cluster = Start(options, "many");
        using ClusterSamples? samples = options.Samples ? new ClusterSamples(cluster, Path.Combine(options.Directory, "many")) : null;
        var run = new ScaleRun(options, verdict, cluster);
        run.Load(options.Jobs);
        run.Churn(options.Jobs, options.Seconds);
        run.DueTogether();
        run.Restart();
        run.Replace();
        run.Checked();
    }

    private static Cluster Start(ScaleOptions options, string name)
    {
        var cluster = new Cluster(
            options.Program, Path.Combine(options.Directory, name), options.Port, $"\"MemoryBudgetMiB\": {options.BudgetMiB}, ");
        Console.WriteLine($"three processes, budget {options.BudgetMiB} MiB, ready after {cluster.Start().TotalMilliseconds:0} ms");
        cluster.WaitUntilEven();
        return cluster;
    }

    private void Load(long jobs)
    {
        JsonElement load;
        using (new CheckpointWatch(_cluster)) load = _bench.Load(Queue, jobs);
        Console.WriteLine($"{jobs:N0} jobs of 100 bytes over 30 days: {load.GetProperty("seconds").GetDouble():0.0} s, {load.GetProperty("jobsPerSecond").GetDouble():N0}/s, {Bench.Latencies(load, "enqueue")}");
        Counted("all are there after the load", jobs);
        _measurements.Resident("loaded");
        _measurements.Weight(jobs);
    }

    private void Churn(long jobs, long seconds)
    {
        long term = _measurements.Term();
        JsonElement steady;
        using (new CheckpointWatch(_cluster)) steady = _bench.Reschedule(Queue, seconds, _options.Rate);
        Console.WriteLine(
            $"{jobs:N0} jobs, {_options.Rate:N0}/s leased and scheduled again for {seconds} s: {steady.GetProperty("jobsPerSecond").GetDouble():N0}/s, "
            + $"{Bench.Latencies(steady, "lease")}, {Bench.Latencies(steady, "reschedule")}");
        JsonElement most = _bench.Reschedule(Queue, Math.Min(_options.Seconds, MostRateSeconds), null);
        Console.WriteLine(
            $"{jobs:N0} jobs, as fast as it goes: {most.GetProperty("jobsPerSecond").GetDouble():N0}/s, {Bench.Latencies(most, "lease")}, {Bench.Latencies(most, "reschedule")}");
        Console.WriteLine($"  elections meanwhile: {_measurements.Term() - term}");
        Counted("all are still there", jobs);
        _measurements.Resident("after the churn");
        _measurements.Weight(jobs);
    }

    /// <summary>A million jobs fall due in one second, while somebody else enqueues.</summary>
    private void DueTogether()
    {
        if (_options.SameSecond == 0) return;
        DateTimeOffset due = DateTimeOffset.UtcNow.AddSeconds(15 + (_options.SameSecond / 20_000));
        _bench.LoadDueAt("together", _options.SameSecond, due);
        _verdict.Check("no job is due before its time", DateTimeOffset.UtcNow >= due || _measurements.Count("together", "ready") == 0);
        long term = _measurements.Term();
        TimeSpan wait = due - DateTimeOffset.UtcNow - TimeSpan.FromSeconds(2);
        if (wait > TimeSpan.Zero) Thread.Sleep(wait);
        using Process other = _bench.StartOtherWork(Math.Min(30, 2 * _options.Seconds));
        long begin = Stopwatch.GetTimestamp();
        while (_measurements.Count("together", "ready") < _options.SameSecond)
        {
            if (Stopwatch.GetElapsedTime(begin) > RepairPatience) throw new IOException("The jobs that are due together did not become ready.");
            Thread.Sleep(50);
        }

        double late = (DateTimeOffset.UtcNow - due).TotalSeconds;
        JsonElement work = _bench.Result(other);
        Console.WriteLine(
            $"{_options.SameSecond:N0} jobs due in one moment: all ready {late:0.0} s after it, {_measurements.Term() - term} elections, other work meanwhile {Bench.Latencies(work, "enqueue")}");
        _measurements.Resident("after many due together");
    }

    private void Restart()
    {
        ClusterNode follower = Follower();
        foreach ((string how, int signal) in new[] { ("SIGTERM", Signals.Terminate), ("kill -9", Signals.Kill) })
        {
            follower.Send(signal);
            follower.WaitForEnd();
            Console.WriteLine($"one node after {how}: start to ready {Cluster.Start(follower).TotalSeconds:0.00} s");
            _cluster.WaitUntilEven();
        }

        Counted("all are there after the restarts", _options.Jobs);
        _measurements.Resident("after the restarts");
    }

    /// <summary>A node comes back with an empty directory.</summary>
    private void Replace()
    {
        ClusterNode lost = Follower();
        ClusterNode leader = _cluster.WaitUntilEven(RepairPatience); // a follower's end does not change it
        lost.Send(Signals.Kill);
        lost.WaitForEnd();
        Directory.Delete(lost.DataDirectory, recursive: true);
        // At the leader, which is to stay fully available.
        using Process other = _bench.StartOtherWork(Math.Min(MostOtherSeconds, 2 * _options.Seconds), leader);
        long begin = Stopwatch.GetTimestamp();
        Cluster.Start(lost, RepairPatience);
        _cluster.WaitUntilEven(RepairPatience);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        JsonElement work = _bench.Result(other);
        double fetched = (ShardNumbers.Of(lost)?.FetchedBytes ?? 0) / 1048576.0;
        Console.WriteLine(
            $"an empty node in place of a lost one: a voter with everything after {seconds:0.0} s, {fetched:0} MiB of pages and table fetched "
            + $"({fetched / seconds:0} MiB/s), other work at the leader meanwhile {Bench.Latencies(work, "enqueue")}");
        _measurements.Resident("after the replacement");
    }

    private void Checked()
    {
        ClusterNode follower = Follower();
        Counted("all are there at the end", _options.Jobs);
        foreach (ClusterNode node in _cluster.All) node.Send(Signals.Terminate);
        foreach (ClusterNode node in _cluster.All) _verdict.Check($"node {node.Id} ends with 0", node.WaitForEnd() == 0);
        _verdict.Check($"the directory of node {follower.Id} is sound", _measurements.Check(follower, _options.Jobs + _options.SameSecond));
    }

    private ClusterNode Follower()
    {
        ClusterNode leader = _cluster.WaitUntilEven(RepairPatience);
        return _cluster.All.First(node => node != leader);
    }

    private void Counted(string meaning, long jobs)
    {
        // A few of the drawn delays are over by now.
        long found = _measurements.Count(Queue, "scheduled") + _measurements.Count(Queue, "ready");
        _verdict.Check($"{meaning}: {jobs:N0}, not {found:N0}", found == jobs);
    }
}
