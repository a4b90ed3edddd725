using RaftQueue.Processes;
using RaftQueue.Scale;

// Fills a cluster of three processes with scheduled jobs and measures what that costs: memory, latency, restart, replacement.
// Usage: RaftQueue.Scale RAFTQUEUE DIRECTORY [--jobs N] [--few N] [--budget MiB] [--rate N] [--seconds N] [--same-second N] [--port N]
var options = new ScaleOptions(args);
var verdict = new Verdict();
try
{
    if (options.FewJobs < options.Jobs) ScaleRun.Few(options, verdict);
    ScaleRun.Many(options, verdict);
}
catch (IOException exception)
{
    verdict.Check(exception.Message, false);
}

Console.WriteLine($"{verdict.Passed} passed, {verdict.Failed} failed");
return verdict.Failed == 0 && verdict.Passed > 0 ? 0 : 1;
