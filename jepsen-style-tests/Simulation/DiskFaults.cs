using RaftQueue.Primitives;

using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>What goes wrong on disks beside crashes: errors, no space, slowness, and damage to what lies on them.</summary>
internal sealed class DiskFaults(FaultContext context)
{
    private const int SectorBytes = 512;
    private const int BlockBytes = 4096;
    private const string Directory = "/data";
    private const long TriesMicroseconds = 140_000;

    private readonly Dictionary<NodeId, (FaultKind Kind, long At)> _damaged = [];

    /// <summary>Null when it was done, else why it cannot be.</summary>
    public string? Make(FaultEvent fault, SimulatedNode node)
    {
        switch (fault.Kind)
        {
            case FaultKind.HangLog:
                return Hold(Loop.Log, fault, node);
            case FaultKind.HangCheckpoint:
                Hold(Loop.Eviction, fault, node);
                Hold(Loop.Segments, fault, node);
                return Hold(Loop.Checkpoint, fault, node);
            case FaultKind.HangApply:
                return Hold(Loop.Apply, fault, node);
            case FaultKind.SlowApply:
                context.Tell($"node {node.Id}: every slice of apply takes {fault.Amount} us for {fault.DurationMs} ms");
                node.Loops?.Slow(Loop.Apply, fault.Amount, EndOf(fault, node));
                return null;
            case FaultKind.SlowDisk:
                context.Tell($"node {node.Id}: every write takes {fault.Amount} us for {fault.DurationMs} ms");
                foreach (string loop in (string[])[Loop.Log, Loop.Segments, Loop.Checkpoint, Loop.Eviction])
                    node.Loops?.Slow(loop, fault.Amount, EndOf(fault, node));
                return null;
            case FaultKind.FailSync:
                return Fail(DiskOperation.DataSync, fault, node);
            case FaultKind.FailWrite:
                return Fail(DiskOperation.Write, fault, node);
            case FaultKind.FailRead:
                return Fail(DiskOperation.Read, fault, node);
            case FaultKind.FailCreate:
                return Fail(DiskOperation.Create, fault, node);
            case FaultKind.FailAllocate:
                return Fail(DiskOperation.Allocate, fault, node);
            case FaultKind.FailSetLength:
                return Fail(DiskOperation.SetLength, fault, node);
            case FaultKind.FailRename:
                return Fail(DiskOperation.Rename, fault, node);
            case FaultKind.FailDelete:
                return Fail(DiskOperation.Delete, fault, node);
            case FaultKind.FailSyncDirectory:
                return Fail(DiskOperation.SyncDirectory, fault, node);
            case FaultKind.BreakDisk:
                return Break(fault, node);
            case FaultKind.FullDisk:
                return Fill(fault, node);
            default:
                return context.Budget.Refuses(node) ?? Damage(fault, node);
        }
    }

    private string? Hold(string loop, FaultEvent fault, SimulatedNode node)
    {
        context.Tell($"node {node.Id}: the {loop} loop stands still for {fault.DurationMs} ms");
        node.Loops?.Hold(loop, EndOf(fault, node));
        return null;
    }

    /// <summary>By the node's own clock.</summary>
    private long EndOf(FaultEvent fault, SimulatedNode node) => node.Clock.ToOwn(context.Now + (fault.DurationMs * 1000));

    private string? Fail(DiskOperation operation, FaultEvent fault, SimulatedNode node)
    {
        context.Tell($"node {node.Id}: the {fault.Amount}th {operation} from now fails");
        node.Disk.FailNext(operation, (int)fault.Amount);
        node.FailSalt = fault.Salt;
        return null;
    }

    private string? Break(FaultEvent fault, SimulatedNode node)
    {
        FakeDisk disk = node.Disk;
        disk.Broken = fault.Amount == 0 ? BrokenParts.Writes : BrokenParts.All;
        node.FailSalt = fault.Salt;
        context.Tell($"node {node.Id}: {disk.Broken} fail on its disk for {fault.DurationMs} ms");
        context.Later(fault.DurationMs, () =>
        {
            disk.Broken = BrokenParts.None;
            bool replaced = (fault.Salt & 1) == 1 && node.Disk == disk && context.Budget.Refuses(node) is null;
            context.Tell($"node {node.Id}: its disk {(replaced ? "is replaced" : "works again")}");
            if (replaced) context.Replace(node);
        });
        return null;
    }

    private string? Fill(FaultEvent fault, SimulatedNode node)
    {
        FakeDisk disk = node.Disk;
        disk.CapacityBytes = disk.UsedBytes + fault.Amount;
        context.Tell($"node {node.Id}: {fault.Amount} bytes are left on the disk for {fault.DurationMs} ms");
        context.Later(fault.DurationMs, () => disk.CapacityBytes = null);
        return null;
    }

    private string? Damage(FaultEvent fault, SimulatedNode node)
    {
        // Tries are drawn in a row, because at first it often cannot be done.
        bool isDone = _damaged.TryGetValue(node.Id, out (FaultKind Kind, long At) last) && last.Kind == fault.Kind
            && context.Now - last.At < TriesMicroseconds;
        if (isDone) return "an earlier try has done it";
        var random = new SplitMix64(fault.Salt);
        string? path = fault.Kind switch
        {
            FaultKind.DamageLog => Drawn(node, $"{Directory}/wal", name => name.EndsWith(".seg", StringComparison.Ordinal), random),
            FaultKind.DamageCheckpoint => Drawn(node, $"{Directory}/shard-{fault.Amount}", name => name == "checkpoint", random),
            FaultKind.DamageHardState => Drawn(node, Directory, name => name.StartsWith("hardstate", StringComparison.Ordinal), random),
            FaultKind.DamageIdentity => Drawn(node, Directory, name => name.StartsWith("identity", StringComparison.Ordinal), random),
            _ => throw new InvalidOperationException($"nothing is made for {fault.Kind}"),
        };
        long used = path is null ? 0 : node.Disk.UsedLengthOf(path);
        if (used == 0) return "there is nothing to damage";
        string what = Damage(node.Disk, path!, used, random, onlyFlips: fault.Kind is FaultKind.DamageHardState or FaultKind.DamageIdentity);
        context.Budget.Damage(node, fault.Kind switch
        {
            FaultKind.DamageLog => DamagedParts.Log,
            FaultKind.DamageCheckpoint => DamagedParts.Checkpoints,
            FaultKind.DamageHardState => DamagedParts.HardState,
            _ => DamagedParts.Identity,
        });
        _damaged[node.Id] = (fault.Kind, context.Now);
        context.Tell($"node {node.Id}: {path}: {what}");
        return null;
    }

    private static string Damage(FakeDisk disk, string path, long used, SplitMix64 random, bool onlyFlips)
    {
        long blocks = (used + BlockBytes - 1) / BlockBytes;
        long block = random.NextBelow(blocks) * BlockBytes;
        switch (onlyFlips ? 0 : random.NextBelow(4))
        {
            case 1 when blocks > 1:
                long from = random.NextBelow(blocks) * BlockBytes;
                disk.CopyBlock(path, from, block, BlockBytes);
                return $"what stands at {from} was written to {block} as well";
            case 2:
                disk.Blank(path, block, SectorBytes * (1 + (int)random.NextBelow(8)));
                return $"zeros from {block} on";
            case 3:
                disk.MakeStale(path, block, SectorBytes * (1 + (int)random.NextBelow(8)));
                return $"what stood at {block} before";
            default:
                long offset = random.NextBelow(used);
                disk.FlipBit(path, offset, (int)random.NextBelow(8));
                return $"a bit of byte {offset} flips";
        }
    }

    private static string? Drawn(SimulatedNode node, string directory, Func<string, bool> fits, SplitMix64 random)
    {
        List<string> names = [.. node.Disk.ListFiles(directory).Where(fits)];
        return names.Count == 0 ? null : $"{directory}/{names[(int)random.NextBelow(names.Count)]}";
    }
}
