using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>The ending in which only a majority is healed.</summary>
internal sealed partial class SeedRun
{
    private const long CalmMs = 3_000;
    private const long HourMs = 3_600_000;
    private const long FullMicroseconds = 15_000_000; // less than any bound here

    /// <summary>Terms that may begin in that time: leaders still spread over the nodes.</summary>
    private const long CalmTerms = 4;

    /// <summary>
    /// P11: one majority of all nodes whose disks are intact, and with it a majority by every membership that any node has, is healed, and
    /// among themselves they are connected. All others stay as they are
    /// for ever, or worse. Every queue takes, gives and finishes a job through the majority in bounded time. Not through each of its
    /// nodes: one that cannot hear a leader outside of it, which the others follow, is told of none.
    /// </summary>
    private void DemandProgressOfMajority(SplitMix64 random)
    {
        Tally.WantsMajority();
        RunTally.Count(Tally.Majority, TryDemandProgressOfMajority(random));
    }

    /// <summary>That it was made, or why nothing could be demanded.</summary>
    private string TryDemandProgressOfMajority(SplitMix64 random)
    {
        _faults.Budget.Observe();
        List<SimulatedNode> nodes = [.. _cluster.Nodes.OrderByDescending(_faults.Budget.IsIntact).ThenBy(_ => random.NextUInt64())];
        int majority = (nodes.Count / 2) + 1;
        if (!_faults.Budget.IsIntact(nodes[majority - 1]))
        {
            // No majority ever held the first entry: not a cluster yet.
            Require.That(!_faults.Budget.HasBegun, "the damage leaves a majority intact");
            return "left out: none ever held the first entry";
        }

        while (majority < nodes.Count && _faults.Budget.IsIntact(nodes[majority]) && !_faults.Budget.MayDecide(nodes.Take(majority))) majority++;
        if (!_faults.Budget.MayDecide(nodes.Take(majority))) return "left out: the intact ones are none by every membership";
        History.Fault($"only {string.Join(' ', nodes.Take(majority).Select(node => node.Id))} heal");
        foreach (SimulatedNode other in nodes.Skip(majority)) Afflict(other, random);
        _faults.Heal(nodes.Take(majority).Select(node => node.Id).ToHashSet());
        long since = Now;
        _cluster.RunUntil(_faults.StartHealed, "the healed majority runs", RecoveryMs, 20);
        for (int queue = 0; queue < Workload.Queues; queue++)
        {
            int turn = queue;
            (bool isShown, string what) = DemandProgress($"q{queue}", () => nodes[turn++ % majority], since);
            RunTally.Count(Tally.Queues, what);
            if (isShown) Times.MajorityMs.Add((Now - since) / 1000);
            since = Now;
        }

        DemandCalm([.. nodes.Take(majority)]);
        return "made";
    }

    /// <summary>P11: nobody whom the others cannot hear, or who cannot hear them, deposes one leader after the other.</summary>
    private void DemandCalm(IReadOnlyList<SimulatedNode> healed)
    {
        long[] before = Terms(healed);
        _cluster.RunFor(CalmMs);
        long[] after = Terms(healed);
        for (int shard = 0; shard < Plan.Shards; shard++)
        {
            Require.That(
                after[shard] - before[shard] <= CalmTerms,
                $"P11: shard {shard} goes from term {before[shard]} to {after[shard]} in {CalmMs} ms without a new fault");
        }
    }

    private long[] Terms(IReadOnlyList<SimulatedNode> nodes) =>
    [
        .. Enumerable.Range(0, Plan.Shards).Select(shard =>
            nodes.Max(node => node.Node?.Parts.Replica.Shards[shard].Raft.Term.Value ?? 0)),
    ];

    private void Afflict(SimulatedNode node, SplitMix64 random)
    {
        FaultKind[] kinds = [FaultKind.Die, FaultKind.Isolate, FaultKind.Deafen, FaultKind.Mute, FaultKind.Pause, FaultKind.HangLog, FaultKind.HangApply, FaultKind.BreakDisk];
        int drawn = (int)random.NextBelow(kinds.Length + 1);
        ulong salt = random.NextUInt64();
        if (Plan.Affliction is { } fixedKind) _faults.Afflict(fixedKind, node, salt);
        // The last: just as it is at this moment.
        else if (drawn < kinds.Length) _faults.Afflict(kinds[drawn], node, salt);
    }

    /// <summary>
    /// A job is taken, given and finished. Where the state is full no job is taken, but what is there is given and finished all the
    /// same, until there is room; where a queue would be one too many there is nothing to ask of it.
    /// </summary>
    /// <returns>What was shown, or had to be left out, by name.</returns>
    private (bool IsShown, string What) DemandProgress(string queue, Func<SimulatedNode> next, long since)
    {
        long boundMs = Plan.Weather.LossPercent > 0 ? LossyRecoveryMs : RecoveryMs;
        long end = since + (boundMs * 1000);
        bool isEmpty = false;
        while (true)
        {
            // Full of what was finished and is kept for longer than this lasts: that is said in the log, and that there is nothing to give as well.
            if (isEmpty && Now - since >= FullMicroseconds) return (false, "left out: the state is full, and nothing is left to finish");
            Require.That(Now < end, $"P11: queue {queue} makes progress through the healed nodes within {boundMs} ms");
            // Refused at once where there is no room at the moment: time has to pass.
            _cluster.RunFor(20);
            SimulatedNode node = next();
            _cluster.RunUntil(() => node.IsRunning || (node = next()).IsRunning, "a node of the healed majority runs", RecoveryMs);
            Node asked = node.Node!;
            (Operation enqueue, byte[] body) = _end.Enqueue(node, queue);
            if (!Call(enqueue, asked, body)) continue;
            if (enqueue is { End: OperationEnd.Applied, Code: ResultCode.TooManyQueues }) return (false, "left out: one queue too many");
            bool isFull = SeedEnd.IsFull(enqueue);
            if (!enqueue.IsOk && !isFull) continue;
            (Operation lease, body) = _end.Lease(node, isFull ? QueuesBeside(queue) : [queue], maxJobs: 1, pullAheadMs: isFull ? HourMs : 0);
            if (!Call(lease, asked, body)) continue;
            isEmpty = isFull && lease is { End: OperationEnd.Applied, Code: ResultCode.Empty };
            if (lease.Grants.Count == 0) continue;
            (Operation ack, body) = _end.Ack(node, lease.Grants[0].Queue, lease.Grants[0]);
            if (Call(ack, asked, body) && ack.TookToken) return (true, isFull ? "given and finished, the state is full" : "taken, given and finished");
        }
    }

    /// <summary>All queues of its shard, itself first.</summary>
    private List<string> QueuesBeside(string queue) =>
        [queue, .. Enumerable.Range(0, Workload.Queues).Select(number => $"q{number}").Where(other => other != queue && _end.ShardOf(other) == _end.ShardOf(queue))];

    /// <summary>One call, answered or not. False when the node was gone before it was.</summary>
    private bool Call(Operation operation, Node node, byte[] body)
    {
        Task<CommandOutcome> asked = SeedEnd.Send(History, operation, node, body);
        _cluster.RunUntil(
            () => asked.IsCompleted || _cluster.Nodes.TrueForAll(each => each.Node != node), $"{operation.Kind} is answered", RecoveryMs);
        if (asked.IsCompleted) ClientAnswers.Note(operation, asked.GetAwaiter().GetResult());
        else operation.End = OperationEnd.Info;
        History.Returned(operation);
        return asked.IsCompleted;
    }
}
