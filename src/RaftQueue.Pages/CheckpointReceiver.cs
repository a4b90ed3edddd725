using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Takes the stream of another node's <see cref="CheckpointReader"/> into PATH.incoming and, once all of it is verified
/// and durable, puts it in the place of PATH in one step. The checkpoint file open at PATH is disposed and opened again by
/// the caller afterwards. One thread at a time. Disposing an unfinished one aborts it.
/// </summary>
public sealed class CheckpointReceiver : IDisposable
{
    private const int SyncBytes = 16 << 20;
    private const int GrowBytes = 4 << 20;
    private const int VerifyPages = 64;

    private readonly IDisk _disk;
    private readonly string _path;
    private readonly CheckpointInfo _info;
    private readonly long _totalBytes;
    private readonly IDiskFile _file;
    private readonly byte[] _buffer = new byte[VerifyPages * PageStore.PageSize];
    private long _unsynced;
    private IEnumerator<(TableNode Leaf, uint FirstPage)>? _toVerify;
    private bool _verified;

    private CheckpointReceiver(IDisk disk, string path, CheckpointInfo info, long totalBytes, IDiskFile file)
    {
        _disk = disk;
        _path = path;
        _info = info;
        _totalBytes = totalBytes;
        _file = file;
    }

    public CheckpointOutcome Outcome { get; private set; } = CheckpointOutcome.Writing;

    /// <summary>What is wrong, after <see cref="CheckpointOutcome.Damaged"/>.</summary>
    public CheckpointDamage? Damage { get; private set; }

    /// <summary>Begins; what an earlier receive left behind is overwritten.</summary>
    /// <param name="info">What the sender says this is a checkpoint of; shard, index and term have to agree.</param>
    /// <param name="totalBytes">The sender's <see cref="CheckpointReader.TotalBytes"/>.</param>
    public static CheckpointReceiver BeginReceive(IDisk disk, string path, CheckpointInfo info, long totalBytes)
    {
        IDiskFile file = disk.Open(IncomingPath(path), create: true);
        var receiver = new CheckpointReceiver(disk, path, info, totalBytes, file);
        file.SetLength(0);
        const long Most = (1L << 32) * PageStore.PageSize;
        if (totalBytes % PageStore.PageSize != 0 || totalBytes is < 0 or > Most) receiver.Refuse("an impossible length");
        return receiver;
    }

    /// <summary>
    /// Takes bytes of the stream; in any order, again is allowed. Anything but <see cref="CheckpointOutcome.Writing"/> is
    /// the end. A failing fsync throws, and the process must stop.
    /// </summary>
    public CheckpointOutcome Write(long position, ReadOnlySpan<byte> bytes)
    {
        if (Outcome != CheckpointOutcome.Writing) return Outcome;
        if (position < 0 || position > _totalBytes - bytes.Length) return Refuse("bytes beyond the announced end");
        Invariant.That(_toVerify is null, "nothing is received once it is being verified");
        try
        {
            long end = position + bytes.Length;
            if (end > _file.Length) _file.Allocate(Math.Min(_totalBytes, ((end / GrowBytes) + 1) * GrowBytes));
            _file.WriteAt(position, bytes);
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return End(CheckpointOutcome.DiskFull);
        }

        _unsynced += bytes.Length;
        if (_unsynced >= SyncBytes) Sync();
        return Outcome;
    }

    /// <summary>
    /// Verifies a bounded part of what was received (the first call: the whole table). True while there is more.
    /// <see cref="Finish"/> does what is left at once.
    /// </summary>
    public bool VerifyNext()
    {
        if (Outcome != CheckpointOutcome.Writing || _verified) return false;
        try
        {
            if (_toVerify is null)
            {
                _toVerify = VerifyTable().Leaves().GetEnumerator();
                return true;
            }

            if (_toVerify.MoveNext())
            {
                VerifyLeaf(_toVerify.Current.Leaf, _toVerify.Current.FirstPage);
                return true;
            }

            _verified = true;
        }
        catch (CheckpointDamagedException damaged)
        {
            Damage = damaged.Damage;
            End(CheckpointOutcome.Damaged);
        }

        return false;
    }

    /// <summary>
    /// Verifies everything, makes it durable and replaces PATH: Committed, or Damaged with nothing replaced, or how it had
    /// ended before.
    /// </summary>
    public CheckpointOutcome Finish()
    {
        while (VerifyNext())
        {
        }

        if (Outcome != CheckpointOutcome.Writing) return Outcome;
#if PLANTED_BUGS
        if (!PlantedBugs.Has(PlantedBug.ReceivedCheckpointNotSynced))
#endif
        Sync();
        _file.Dispose();
        _disk.Rename(IncomingPath(_path), _path);
        _disk.SyncDirectory(CheckpointFile.DirectoryOf(_path));
        Outcome = CheckpointOutcome.Committed;
        return Outcome;
    }

    /// <summary>Gives up and removes what was received.</summary>
    public void Abort()
    {
        if (Outcome == CheckpointOutcome.Writing) End(CheckpointOutcome.Aborted);
    }

    public void Dispose() => Abort();

    internal static string IncomingPath(string path) => path + ".incoming";

    private TableNode VerifyTable()
    {
        byte[] block = new byte[PageStore.PageSize];
        int read = SlotRead.TryReadAt(_file, 0, block);
        Superblock superblock = Superblock.TryDecode(block.AsSpan(0, read)) ?? throw Damaged("no superblock");
        CheckpointInfo info = superblock.Info;
        if ((info.Shard, info.Index, info.Term) != (_info.Shard, _info.Index, _info.Term))
        {
            throw Damaged($"index {info.Index}, term {info.Term} of shard {info.Shard} was not announced");
        }

        if (superblock.Sequence != 1 || (long)superblock.Slots * PageStore.PageSize != _totalBytes || _file.Length != _totalBytes)
        {
            throw Damaged("its length is not the announced one");
        }

        int second = SlotRead.TryReadAt(_file, PageStore.PageSize, block);
        bool secondIsEmpty = second == block.Length && block.AsSpan().IndexOfAnyExcept((byte)0) < 0;
        if (!secondIsEmpty) throw Damaged("the second slot is not empty");
        (TableNode? root, SlotMap map) = TableReader.Read(
            _file,
            superblock,
            damage => throw new CheckpointDamagedException(_path, damage));
        if (map.Count() + Superblock.Places != superblock.Slots) throw Damaged("it has slots that nothing uses");
        return root!;
    }

    private void VerifyLeaf(TableNode leaf, uint firstPage)
    {
        for (int index = leaf.NextUsed(0); index < TableNode.FanOut; index = leaf.NextUsed(index))
        {
            int count = PageRun.Length(leaf, index, VerifyPages);
            int good = PageRun.Read(_file, leaf, index, _buffer.AsSpan(0, count * PageStore.PageSize));
            if (good < count)
            {
                var page = new PageNumber(firstPage + (uint)(index + good));
                throw new CheckpointDamagedException(_path, new CheckpointDamage(_info.Index.Value, page, "wrong checksum"));
            }

            index += count;
        }
    }

    private CheckpointDamagedException Damaged(string what) =>
        new(IncomingPath(_path), new CheckpointDamage(_info.Index.Value, null, what));

    private CheckpointOutcome Refuse(string what)
    {
        Damage = new CheckpointDamage(_info.Index.Value, null, what);
        return End(CheckpointOutcome.Damaged);
    }

    private CheckpointOutcome End(CheckpointOutcome outcome)
    {
        Outcome = outcome;
        _file.Dispose();
        _disk.Delete(IncomingPath(_path));
        return outcome;
    }

    private void Sync()
    {
        if (_unsynced > 0) _file.DataSync();
        _unsynced = 0;
    }
}
