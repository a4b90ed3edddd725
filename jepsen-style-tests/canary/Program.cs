using RaftQueue.Canary;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Storage;

// Appends entries one at a time to a log on the real disk and prints what the log reports. A disk error ends it with code 3,
// as it ends a node. With "twice" instead of a count a file is synced twice, as two loops that share it would.
// Usage: RaftQueue.Canary DIRECTORY COUNT|twice
string directory = args[0];
if (args[1] == "twice") return TwoSyncs.Run(directory);
int count = int.Parse(args[1]);
var clock = new MonotonicClock();
var shard = new ShardId(0);
try
{
    using WriteAheadLog log = WriteAheadLog.Open(new LinuxDisk(), clock, directory, new WalOptions { SegmentBytes = 1024 * 1024 });
    log.Attach(new ReportPrinter(), static () => { }, static () => { });
    RecoveredShard recovered = log.Recovered(shard);
    Console.WriteLine($"recovered {recovered.LastIndex} damage {recovered.DamageReport ?? "none"}");
    var term = new Term(recovered.LastTerm.Value + 1);
    LogIndex next = recovered.LastIndex.Next;
    for (int done = 0; done < count; done++, next = next.Next)
    {
        if (done % 5 == 0) log.SaveHardState(shard, new HardState(new Term(term.Value + done), NodeId.None));
        log.Append(shard, [LogEntry.TermStart(shard, term, next, clock.WallUnixMs)]);
        log.RunOnce();
    }

    return 0;
}
catch (DiskException failure)
{
    Console.WriteLine($"stopped {failure.Call} {failure.Errno}");
    return 3;
}
