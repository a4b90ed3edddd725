using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P4: at most one holder of a key and queue. Each accepted job holds its key for certain from the return of its enqueue to the
/// invocation of the first call, or the earliest time, that may end the hold, by its <c>until</c>; these intervals are disjoint. A
/// "duplicate" answer names a job with that key which may hold it then. O(n log n).
/// </summary>
public static class UniqueChecker
{
    public static void Check(RunRecord record)
    {
        var keyed = record.History.Ok(OperationKind.Enqueue)
            .Where(call => !call.Replayed)
            .SelectMany(call => call.Jobs.Where(asked => asked is { UniqueKey: not null, Job: not null }).Select(asked => (Call: call, Asked: asked)));
        ILookup<string, Operation> openLeases = record.History.Operations
            .Where(call => call.Kind == OperationKind.Lease && (call.End != OperationEnd.Applied || call.SpansShards))
            .SelectMany(call => call.Queues.Select(queue => (queue, call)))
            .OrderBy(pair => pair.call.InvokedNs)
            .ToLookup(pair => pair.queue, pair => pair.call, StringComparer.Ordinal);
        // A default age of the queue's jobs may end a hold: whichever had been asked for when the job was made.
        ILookup<string, Operation> settings = record.History.Operations
            .Where(call => call.Kind == OperationKind.PutQueue)
            .ToLookup(call => call.Queue, StringComparer.Ordinal);
        foreach (var key in keyed.GroupBy(pair => (pair.Call.Queue, pair.Asked.UniqueKey!)))
        {
            Operation? openLease = openLeases[key.Key.Queue].FirstOrDefault();
            // Who was not answered gave up, perhaps long before the entry was applied: since when its job holds the key is not certain.
            CheckDisjoint([.. key.Where(pair => pair.Asked.Created && !pair.Call.FoundInLog).Select(pair => Holds(record, pair.Call, pair.Asked, openLease, DefaultAge(settings[key.Key.Queue], pair.Call)))]);
            CheckNamed(record, [.. key]);
        }
    }

    private static void CheckDisjoint(List<(long FromNs, double ToNs, Operation Call)> holds)
    {
        holds.RemoveAll(hold => hold.ToNs <= hold.FromNs);
        holds.Sort(static (left, right) => left.FromNs.CompareTo(right.FromNs));
        for (int i = 1; i < holds.Count; i++)
        {
            Require.That(
                holds[i].FromNs >= holds[i - 1].ToNs,
                $"P4: {holds[i].Call} at {holds[i].FromNs} ns while {holds[i - 1].Call} holds the key until {holds[i - 1].ToNs:0}");
        }
    }

    /// <summary>The lowest age that a job of this call may have got from its queue's settings; null for none.</summary>
    private static long? DefaultAge(IEnumerable<Operation> settings, Operation call) => settings
        .Where(put => put.InvokedNs < call.ReturnedNs && (put.IsOk || put.IsOpen))
        .Min(put => put.ExpireAfterMs);

    /// <summary>What is certain: nothing that may end the hold had begun.</summary>
    private static (long FromNs, double ToNs, Operation Call) Holds(RunRecord record, Operation call, AskedJob asked, Operation? openLease, long? defaultAgeMs)
    {
        double to = asked.Until == UniqueUntil.Window
            ? After(record, call, asked.WindowMs)
            : EndOfHold(record, call, asked, openLease, defaultAgeMs);
        return (call.ReturnedNs, to, call);
    }

    private static double EndOfHold(RunRecord record, Operation call, AskedJob asked, Operation? openLease, long? defaultAgeMs)
    {
        JobId job = asked.Job!.Value.Key();
        double to = double.MaxValue;
        foreach (Operation other in record.CallsByJob[job])
        {
            bool mayFinish = other.Kind is OperationKind.Ack or OperationKind.Nack or OperationKind.Cancel
                || (other.IsOnLease && asked.Until == UniqueUntil.Leased);
            if (mayFinish && (other.IsOk || other.IsOpen)) to = Math.Min(to, other.InvokedNs);

            // It may make the lease shorter, whose end may be the last attempt's; an open one, nobody knows by what stamp.
            if (other is not { Kind: OperationKind.Extend, DelayMs: { } ms }) continue;
            if (other.IsOpen) to = Math.Min(to, other.InvokedNs);
            else if (other.IsOk) to = Math.Min(to, After(record, other, ms));
        }

        // Without a lease it may die of old age; with one, of its last attempt.
        if ((asked.ExpireAfterMs ?? defaultAgeMs) is { } age) to = Math.Min(to, After(record, call, age));
        foreach ((Operation lease, Grant grant) in record.GrantsByJob[job])
        {
            to = Math.Min(to, asked.Until == UniqueUntil.Leased ? lease.InvokedNs : After(record, lease, grant.LeaseMs));
        }

        // A grant that nobody was told of: a copy of the request may have been granted as well, and given back. Where the log is known, no
        // other lease request that was not answered has got the job.
        bool mayBeLeased = record.Truth is null;
        foreach (LogGrant grant in record.Truth?.GrantsByJob[job] ?? [])
        {
            if (record.GrantsByJob[job].Any(pair => pair.Grant.Fence == grant.Fence)) continue;
            if (grant.Call is { } lease) to = Math.Min(to, lease.InvokedNs);
            else mayBeLeased = true;
        }

        if (mayBeLeased && openLease is not null) to = Math.Min(to, openLease.InvokedNs);
        return to;
    }

    /// <summary>The earliest time by the harness's clock at which so much of the cluster's has passed since a call.</summary>
    private static double After(RunRecord record, Operation call, long ms) =>
        call.InvokedNs + (((record.SlowestClock * ms) - record.LagMs(call.Shard, call.Index)) * 1e6);

    private static void CheckNamed(RunRecord record, List<(Operation Call, AskedJob Asked)> key)
    {
        foreach ((Operation call, AskedJob asked) in key)
        {
            if (asked.Created) continue;
            JobId named = asked.Job!.Value.Key();
            (Operation Call, AskedJob Asked) holder = key.Find(other => other.Asked.Created && other.Asked.Job!.Value.Key() == named);
            Require.That(holder.Call is not null || HasOpen(record, call, asked), $"P4: {call} names {named}, which nobody made with its key");
            if (holder.Call is null) continue;
            Require.That(holder.Call.Index <= call.Index, $"P4: {call} names the job of {holder.Call}, which came later");
            if (holder.Asked.Until == UniqueUntil.Window) continue;
            Operation? ack = record.CallsByJob[named].FirstOrDefault(other =>
                other.Kind == OperationKind.Ack && other.TookToken && !other.Replayed && other.Index < call.Index);
            Require.That(ack is null, $"P4: {call} names a job that was finished by {ack}");
        }
    }

    /// <summary>An enqueue with this key whose answer nobody heard, or one whose key its queue derived from its payload.</summary>
    private static bool HasOpen(RunRecord record, Operation call, AskedJob asked) => record.History.Operations.Any(other =>
        other.Kind == OperationKind.Enqueue && other.Queue == call.Queue
        && other.Jobs.Any(job => (other.IsOpen && job.UniqueKey == asked.UniqueKey) || (other.IsOk && job.UniqueKey is null && job.Job?.Key() == asked.Job?.Key())));
}
