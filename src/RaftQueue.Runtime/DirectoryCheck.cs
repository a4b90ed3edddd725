using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Runtime;

/// <summary>
/// What `raftqueue check DIR` does: every checksum of identity, hard state, log and checkpoints, and whether they belong together. Changes
/// nothing; the node must be stopped.
/// </summary>
public static class DirectoryCheck
{
    /// <summary>Reads everything. <paramref name="progress"/> is told what is read.</summary>
    public static CheckReport Check(IDisk disk, string directory, Action<string> progress)
    {
        CheckReport storage = StorageCheck.Check(disk, directory, progress);
        var problems = new List<string>(storage.Problems);
        var notes = new List<string>(storage.Notes);
        foreach (CheckedLog log in storage.Logs) CheckShard(disk, directory, log, problems, notes, progress);
        return new CheckReport(problems, notes, storage.Logs);
    }

    private static void CheckShard(
        IDisk disk, string directory, CheckedLog log, List<string> problems, List<string> notes, Action<string> progress)
    {
        string shardDirectory = Path.Combine(directory, $"shard-{log.Shard.Value}");
        string path = Path.Combine(shardDirectory, "checkpoint");
        CheckpointCheckReport report = CheckpointCheck.Check(disk, path, progress, (page, info) => IsState(page, info, log.Shard));
        problems.AddRange(report.Damage.Select(damage => $"{path}: {damage}"));
        if (report.DamageCount > report.Damage.Count) problems.Add($"{path}: and {report.DamageCount - report.Damage.Count} more");
        foreach (CheckpointInfo info in report.Checkpoints) notes.Add($"{path}: checkpoint at index {info.Index}");
        if (report.WasFetching) notes.Add($"{path}: a peer's checkpoint was being fetched; the next start goes on with what is here of it");
        CheckMarks(disk, shardDirectory, problems);

        LogIndex newest = report.Checkpoints.Count == 0 ? LogIndex.Zero : report.Checkpoints.Max(info => info.Index);
        if (newest < log.FirstIndex.Previous)
        {
            string what = newest == LogIndex.Zero ? "there is no checkpoint in front of it" : $"the newest checkpoint ends at {newest}";
            problems.Add($"shard {log.Shard}: the log begins at {log.FirstIndex}, and {what}");
        }
        else if (newest > log.LastIndex)
        {
            // Right after a checkpoint came from a peer. What else it can mean, nothing on this disk tells.
            notes.Add($"shard {log.Shard}: the log ends at {log.LastIndex}, before the newest checkpoint");
        }
    }

    private static void CheckMarks(IDisk disk, string shardDirectory, List<string> problems)
    {
        foreach ((StateMark mark, string meaning) in new[]
        {
            (StateMark.Damaged, "a page could not be read; the next start reads all"),
            (StateMark.Repair, "the state is not the cluster's; the next start takes what differs from a peer"),
        })
        {
            if (mark.IsSet(disk, shardDirectory)) problems.Add($"{mark.PathIn(shardDirectory)}: {meaning}");
        }

        if (AgainMark.Read(disk, shardDirectory) is { } again)
            problems.Add($"{AgainMark.PathIn(shardDirectory, again)}: the state was in doubt; the next start applies the log again from there");
    }

    private static bool IsState(ReadOnlySpan<byte> rootPage, CheckpointInfo info, ShardId shard) =>
        info.Shard == shard && JobStore.IsStateAt(rootPage, shard, info.Index, info.StateHash) && MembershipRecord.TryDecode(info.Membership, out _);
}
