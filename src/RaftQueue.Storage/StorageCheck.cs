using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>The part of `raftqueue check DIR` that reads identity, hard state and log. Changes nothing; the node must be stopped.</summary>
public static class StorageCheck
{
    /// <summary>Reads everything and every entry. <paramref name="progress"/> is told each file before it is read.</summary>
    public static CheckReport Check(IDisk disk, string directory, Action<string> progress)
    {
        var problems = new List<string>();
        var notes = new List<string>();
        var logs = new List<CheckedLog>();
        if (disk is IDirectoryLocker && !disk.FileExists(Path.Combine(directory, "lock")))
        {
            return new CheckReport([$"'{directory}' is not a data directory: it has no lock file"], notes, logs);
        }

        try
        {
            using IDisposable? directoryLock = (disk as IDirectoryLocker)?.LockDirectory(directory);
            int shards = CheckIdentity(disk, directory, problems, notes, progress);
            int stored = HardStateFile.Check(disk, directory, problems, progress);
            CheckLog(disk, directory, Math.Max(1, Math.Max(shards, stored)), problems, notes, logs, progress);
        }
        catch (DirectoryInUseException inUse)
        {
            problems.Add($"{inUse.Message}: stop the node first");
        }

        return new CheckReport(problems, notes, logs);
    }

    private static int CheckIdentity(IDisk disk, string directory, List<string> problems, List<string> notes, Action<string> progress)
    {
        progress(Path.Combine(directory, "identity"));
        try
        {
            if (NodeIdentityFile.Read(disk, directory, problems) is { } identity)
            {
                notes.Add($"node {identity.NodeId} of '{identity.ClusterId}', incarnation {identity.Incarnation}, {identity.BootCounter} starts");
                return identity.Shards;
            }

            problems.Add($"'{directory}' has no identity file");
        }
        catch (StorageDamagedException damage)
        {
            problems.Add(damage.Message);
        }

        return 0;
    }

    private static void CheckLog(
        IDisk disk, string directory, int shards, List<string> problems, List<string> notes, List<CheckedLog> logs, Action<string> progress)
    {
        using WalScan scan = WalScan.Run(disk, WalFormat.WalDirectory(directory), shards, progress);
        if (scan.Chain.Count == 0) problems.Add($"'{WalFormat.WalDirectory(directory)}' holds no segment of a log");
        problems.AddRange(scan.Damages.Select(damage => damage.ToString()));
        if (scan.CutShort is { } cut) problems.Add(cut);
        var files = scan.Chain.ToDictionary(segment => segment.Sequence);
        for (int number = 0; number < shards; number++)
        {
            ReplayedShard shard = scan.Shards[number];
            LogPosition last = shard.Slots.Last;
            notes.Add($"shard {number}: entries {shard.Slots.FirstIndex} to {last}");
            logs.Add(new CheckedLog(new ShardId((ushort)number), shard.Slots.FirstIndex, last.Index));
            if (!shard.Floor.IsZero)
            {
                problems.Add($"shard {number}: whole entries end at {last}, the log ended at {shard.Floor}");
            }

            CheckEntries(new ShardId((ushort)number), shard.Slots, files, problems);
        }
    }

    /// <summary>The batches' checksums hold where the scan came by; here each entry is held against its own, and its frames are read.</summary>
    private static void CheckEntries(
        ShardId shard, EntrySlots slots, Dictionary<long, ScannedSegment> files, List<string> problems)
    {
        for (LogIndex index = slots.FirstIndex; slots.Holds(index); index = index.Next)
        {
            EntrySlot slot = slots.At(index);
            ScannedSegment file = files[slot.Place.Segment];
            byte[] bytes = file.Reader.Get(slot.Place.Offset, slot.Bytes).ToArray();
            if (!LogEntry.TryParse(bytes, out _))
            {
                problems.Add($"'{file.Path}' offset {slot.Place.Offset}: shard {shard}, index {index}: not a whole entry");
            }
        }
    }
}
