using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>Verifies a checkpoint file without changing it, for <c>raftqueue check</c>.</summary>
public static class CheckpointCheck
{
    private const int RunPages = 64;

    /// <summary>
    /// Reads every superblock, table node and page that either checkpoint leads to and reports everything that is wrong.
    /// The node that owns the file is stopped. <paramref name="progress"/> gets a line now and then; <paramref name="isRoot"/> is asked about
    /// the root page of each.
    /// </summary>
    public static CheckpointCheckReport Check(IDisk disk, string path, Action<string> progress, RootPageCheck? isRoot = null)
    {
        var report = new CheckpointCheckReport();
        if (!disk.FileExists(path))
        {
            progress($"{path}: no checkpoint file");
            return report;
        }

        using IDiskFile file = disk.Open(path, create: false);
        report.FileBytes = file.Length;
        report.WasFetching = disk.FileExists(CheckpointFile.FetchingPath(path));
        var used = new SlotMap();
        foreach (Superblock superblock in ReadSuperblocks(file, report).OrderByDescending(found => found.Sequence))
        {
            progress($"{path}: checkpoint at index {superblock.Info.Index}, {superblock.Pages} pages");
            report.Checkpoints.Add(superblock.Info);
            (TableNode? root, SlotMap map) = TableReader.Read(file, superblock, report.Add);
            used.AddAll(map);
            if (root is null) continue;
            CheckPages(file, superblock, root, report, progress);
            if (isRoot is not null) CheckRoot(file, superblock, root, report, isRoot);
        }

        report.UsedSlots = used.Count();
        report.FreeSlots = Math.Max(0, (file.Length / PageStore.PageSize) - Superblock.Places - report.UsedSlots);
        progress($"{path}: {report.PagesRead} pages read, {report.DamageCount} damaged");
        return report;
    }

    private static List<Superblock> ReadSuperblocks(IDiskFile file, CheckpointCheckReport report)
    {
        var found = new List<Superblock>();
        byte[] block = new byte[PageStore.PageSize];
        for (int place = 0; place < Superblock.Places; place++)
        {
            int read = SlotRead.TryReadAt(file, (long)place * PageStore.PageSize, block);
            if (Superblock.TryDecode(block.AsSpan(0, read)) is { } superblock) found.Add(superblock);
            else if (block.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0 || (read == 0 && file.Length > 0))
            {
                report.Add(new CheckpointDamage(null, null, $"superblock {place} is torn or damaged"));
            }
        }

        if (found is [var first, var second] && first.Sequence == second.Sequence)
        {
            report.Add(new CheckpointDamage(null, null, "both superblocks have the same sequence number"));
        }

        return found;
    }

    private static void CheckRoot(IDiskFile file, Superblock superblock, TableNode root, CheckpointCheckReport report, RootPageCheck isRoot)
    {
        byte[] page = new byte[PageStore.PageSize];
        TableNode? leaf = root.Child(0)?.Child(0);
        bool isThere = leaf is not null && !leaf[(int)PageNumber.Root.Value].IsEmpty;
        if (isThere && PageRun.Read(file, leaf!, (int)PageNumber.Root.Value, page) == 0) return; // a damaged page, which is told already
        if (isThere && isRoot(page, superblock.Info)) return;
        report.Add(new CheckpointDamage(superblock.Info.Index.Value, PageNumber.Root, "it is not the state that the superblock tells of"));
    }

    private static void CheckPages(
        IDiskFile file,
        Superblock superblock,
        TableNode root,
        CheckpointCheckReport report,
        Action<string> progress)
    {
        byte[] buffer = new byte[RunPages * PageStore.PageSize];
        foreach ((TableNode leaf, uint firstPage) in root.Leaves())
        {
            for (int index = leaf.NextUsed(0); index < TableNode.FanOut; index = leaf.NextUsed(index))
            {
                int count = PageRun.Length(leaf, index, RunPages);
                int good = PageRun.Read(file, leaf, index, buffer.AsSpan(0, count * PageStore.PageSize));
                if (good < count)
                {
                    var page = new PageNumber(firstPage + (uint)(index + good));
                    string what = $"wrong checksum in slot {leaf[index + good].Slot}";
                    report.Add(new CheckpointDamage(superblock.Info.Index.Value, page, what));
                    count = good + 1;
                }

                report.PagesRead += count;
                index += count;
            }

            if (firstPage % (1 << 16) == 0 && firstPage > 0) progress($"page {firstPage}");
        }
    }
}
