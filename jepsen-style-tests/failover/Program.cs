using RaftQueue.Bench;
using RaftQueue.Failover;
using RaftQueue.Processes;

// Measures what becomes of a real cluster when its leader goes away, and proves that nothing confirmed is lost by it; then lets clients do
// everything while nodes are killed, and has their history judged.
// Usage: RaftQueue.Failover RAFTQUEUE DIRECTORY [--trials N] [--waiting N] [--faults N] [--seed N] [--port N]
string program = Path.GetFullPath(args[0]);
string directory = Path.GetFullPath(args[1]);
int trials = Option("--trials", 20);
int waiting = Option("--waiting", 1_000_000);
int faults = Option("--faults", 20);
int seed = Option("--seed", Environment.TickCount & int.MaxValue);
int port = Option("--port", 8610);
var verdict = new Verdict();
try
{
    if (trials > 0) RunTrials();
    if (faults > 0) RunJudged();
    if (waiting > 0) MeasureMemory();
}
catch (IOException exception)
{
    verdict.Check(exception.Message, false);
}

Console.WriteLine($"{verdict.Passed} passed, {verdict.Failed} failed");
return verdict.Failed == 0 && verdict.Passed > 0 ? 0 : 1;

void RunTrials()
{
    using var cluster = new Cluster(program, Path.Combine(directory, "trials"), port);
    Console.WriteLine($"a new cluster, start of three processes to the last one ready: {cluster.Start().TotalMilliseconds:0} ms");
    var run = new Trials(cluster, verdict, "failover");
    run.Run("kill -9 of the leader", Signals.Kill, trials);
    run.Run("SIGTERM of the leader", Signals.Terminate, trials);
    List<string> taken = Jobs.TakeAll(cluster.WaitUntilEven(), "failover");
    var distinct = new HashSet<string>(taken, StringComparer.Ordinal);
    int missing = run.Confirmed.Count(job => !distinct.Contains(job));
    Console.WriteLine($"confirmed {run.Confirmed.Count:N0} jobs, delivered {taken.Count:N0}, missing {missing:N0}");
    verdict.Check("no confirmed job is missing", missing == 0);
    verdict.Check("no job was delivered twice", distinct.Count == taken.Count);
}

void RunJudged()
{
    using var cluster = new Cluster(program, Path.Combine(directory, "judged"), port);
    cluster.Start();
    new JudgedRun(cluster, verdict, Path.Combine(directory, "judged"), seed).Run(faults);
}

void MeasureMemory()
{
    using var cluster = new Cluster(program, Path.Combine(directory, "waiting"), port);
    cluster.Start();
    Jobs.Fill(cluster.WaitUntilEven(), "waiting", waiting);
    cluster.WaitUntilEven();
    Resident(cluster, $"{waiting:N0} waiting jobs of 100 bytes");
    cluster.KillAll();
    TimeSpan ready = cluster.Start();
    Console.WriteLine($"all three killed and started again with these jobs, start to the last one ready: {ready.TotalMilliseconds:0} ms");
    ClusterNode leader = cluster.WaitUntilEven();
    long found = Jobs.CountReady(leader, "waiting");
    verdict.Check($"all {waiting:N0} waiting jobs are there after the restart, not {found:N0}", found == waiting);
    Resident(cluster, "after the restart");
}

void Resident(Cluster cluster, string meaning)
{
    IEnumerable<string> sizes = cluster.All.Select(node =>
        $"node {node.Id} {new ServerProcess(node.ProcessId, node.Address).ResidentBytes() / 1048576.0:0} MiB");
    Console.WriteLine($"resident memory, {meaning}: {string.Join(", ", sizes)}");
}

int Option(string name, int otherwise) => Array.IndexOf(args, name) is var at and >= 0 ? int.Parse(args[at + 1]) : otherwise;
