using System.Buffers.Binary;
using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Term and vote of every shard, in two files of the same layout, little endian: magic u64, generation i64, flags u32,
/// shards u32, then per shard term i64 and vote i32, then CRC32C u32 of all before. Both are written and synced in turn, so
/// that one is whole at any time; the newest whole one counts. Used by the log's loop.
/// </summary>
internal sealed class HardStateFile : IDisposable
{
    private const ulong Magic = 0x3130_5453_4852_5152;
    private const int HeaderBytes = 24;
    private const int RowBytes = 12;

    /// <summary>There was a log once: if there is none now, it was lost.</summary>
    private const uint LogMadeFlag = 1;

    /// <summary>Votes were lost once: this incarnation never votes again.</summary>
    private const uint LostFlag = 2;

    private static readonly string[] Names = ["hardstate-a", "hardstate-b"];

    private readonly IDiskFile[] _files;
    private readonly HardState[] _states;
    private long _generation;
    private uint _flags;

    private HardStateFile(IDiskFile[] files, int shards)
    {
        _files = files;
        _states = new HardState[shards];
    }

    /// <summary>What was wrong, in words; null when nothing was.</summary>
    public string? Damage { get; private set; }

    /// <summary>Reads both copies. Neither whole means that votes are lost, except when <paramref name="isNew"/>: then all are blank.</summary>
    public static HardStateFile Open(IDisk disk, string directory, int shards, bool isNew)
    {
        var files = new IDiskFile[Names.Length];
        long bytes = WalFormat.RoundUp(SizeOf(shards));
        bool made = false;
        for (int copy = 0; copy < Names.Length; copy++)
        {
            string path = Path.Combine(directory, Names[copy]);
            made |= !disk.FileExists(path);
            files[copy] = LatchedFile.Open(disk, path, create: true);
            if (files[copy].Length < bytes) files[copy].Allocate(bytes);
        }

        if (made) disk.SyncDirectory(directory);
        var result = new HardStateFile(files, shards);
        bool whole = false;
        foreach (IDiskFile file in files)
        {
            whole |= result.TryTake(ReadCopy(file));
        }

        if (!whole && !isNew) result.Lose("both copies of the hard state are bad");

        // Before the first segment exists, so that a crash in between never looks like lost votes.
        if (isNew) result.Save();
        return result;
    }

    /// <summary>
    /// After recovery: what was read may be in the page cache only, so it is written again before anybody is told of it. The
    /// very same bytes, and the first copy first: whichever copy is durable now stays whole on the medium until the other
    /// one is durable too. <paramref name="logIsEmpty"/> with the memory of a log means that it was lost.
    /// </summary>
    public void Settle(bool logIsEmpty)
    {
        WriteCopies();
        uint before = _flags;
        if (logIsEmpty && (_flags & LogMadeFlag) != 0) Lose("the log is gone: the hard state remembers one, and there is no segment");
        _flags |= LogMadeFlag;
        if (_flags != before) Save();
    }

    /// <summary>Null when votes were lost under this incarnation, now or earlier.</summary>
    public HardState? Get(ShardId shard) => (_flags & LostFlag) != 0 ? null : _states[shard.Value];

    public void Set(ShardId shard, HardState state) => _states[shard.Value] = state;

    /// <summary>Writes and syncs one copy, then the other.</summary>
    public void Save()
    {
        _generation++;
        WriteCopies();
    }

    public void Dispose()
    {
        foreach (IDiskFile file in _files)
        {
            file.Dispose();
        }
    }

    /// <summary>Makes blank copies in a new data directory, before anything else remembers that it is in use.</summary>
    public static void Create(IDisk disk, string directory, int shards)
    {
        using HardStateFile blank = Open(disk, directory, shards, isNew: true);
    }

    /// <summary>Adds what is wrong with the copies to <paramref name="problems"/>; the number of shards in the newest whole one, 0 when there is none.</summary>
    public static int Check(IDisk disk, string directory, ICollection<string> problems, Action<string> progress)
    {
        int shards = 0;
        long newest = 0;
        foreach (string name in Names)
        {
            string path = Path.Combine(directory, name);
            progress(path);
            if (!disk.FileExists(path))
            {
                problems.Add($"'{path}': there is no such file");
                continue;
            }

            using IDiskFile file = disk.Open(path, create: false);
            if (ReadCopy(file) is not { } content)
            {
                problems.Add($"'{path}' offset 0: the copy is not whole");
                continue;
            }

            long generation = BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(8));
            if ((BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(16)) & LostFlag) != 0)
            {
                problems.Add($"'{path}': votes were lost once; this incarnation never votes");
            }

            if (generation <= newest) continue;
            newest = generation;
            shards = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(20));
        }

        return shards;
    }

    private static int SizeOf(int shards) => HeaderBytes + (shards * RowBytes) + sizeof(uint);

    /// <summary>The bytes of a whole copy, or null.</summary>
    private static byte[]? ReadCopy(IDiskFile file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (file.ReadAt(0, header) < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic) return null;
        uint shards = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        if (shards is 0 or > ushort.MaxValue) return null;
        byte[] content = new byte[SizeOf((int)shards)];
        if (file.ReadAt(0, content) < content.Length) return null;
        int covered = content.Length - sizeof(uint);
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(covered));
        return crc == Crc32C.Compute(content.AsSpan(0, covered)) ? content : null;
    }

    private bool TryTake(byte[]? content)
    {
        if (content is null) return false;
        long generation = BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(8));
        if (generation <= _generation) return true;
        _generation = generation;
        _flags = BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(16));
        if ((_flags & LostFlag) != 0) Damage = "votes were lost once; this incarnation never votes";
        int shards = Math.Min(_states.Length, BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(20)));
        for (int shard = 0; shard < shards; shard++)
        {
            ReadOnlySpan<byte> row = content.AsSpan(HeaderBytes + (shard * RowBytes));
            _states[shard] = new HardState(
                new Term(BinaryPrimitives.ReadInt64LittleEndian(row)), new NodeId(BinaryPrimitives.ReadInt32LittleEndian(row[8..])));
        }

        return true;
    }

    private byte[] Encode()
    {
        byte[] content = new byte[SizeOf(_states.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(content, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(8), _generation);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(16), _flags);
        BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(20), _states.Length);
        for (int shard = 0; shard < _states.Length; shard++)
        {
            Span<byte> row = content.AsSpan(HeaderBytes + (shard * RowBytes));
            BinaryPrimitives.WriteInt64LittleEndian(row, _states[shard].Term.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[8..], _states[shard].Vote.Value);
        }

        int covered = content.Length - sizeof(uint);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(covered), Crc32C.Compute(content.AsSpan(0, covered)));
        return content;
    }

    private void WriteCopies()
    {
        byte[] content = Encode();
        foreach (IDiskFile file in _files)
        {
            file.WriteAt(0, content);
            file.DataSync();
        }
    }

    private void Lose(string damage)
    {
        // A generation that a reader takes notice of, whatever was there before.
        _generation = Math.Max(_generation, 1);
        _flags |= LostFlag;
        Damage = damage;
    }
}
