using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Puts waiting operations into one write batch: the parts of a gather write, the entries' own arrays among them. Reused;
/// the parts are valid until the next <see cref="Start"/>.
/// </summary>
internal sealed class BatchBuilder(int shards)
{
    /// <summary>A batch with this much data takes no more, so that one write never takes long.</summary>
    private const int FullBytes = 4 * 1024 * 1024;

    private const int MaxRecords = 4096;

    private static readonly byte[] Padding = new byte[WalFormat.BlockBytes];

    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private readonly List<(LogEntry Entry, int Offset)> _entries = [];
    private byte[] _header = new byte[WalFormat.BlockBytes];
    private int _records;
    private long _room;
    private int _dataBytes;

    /// <summary>The entries of the batch with their offset in its data, in order.</summary>
    public IReadOnlyList<(LogEntry Entry, int Offset)> Entries => _entries;

    public int HeaderBytes => BatchHeader.SizeOf(shards, _records);

    /// <summary>The most bytes a segment must have left for a batch of one entry of <paramref name="entryBytes"/> bytes.</summary>
    public long RoomFor(int entryBytes) => WalFormat.RoundUp(BatchHeader.SizeOf(shards, 1) + entryBytes);

    /// <summary>Begins a batch for which the segment has <paramref name="room"/> bytes.</summary>
    public void Start(ReadOnlySpan<ShardRow> rows, long room)
    {
        _parts.Clear();
        _entries.Clear();
        _records = 0;
        _dataBytes = 0;
        _room = room;
        Reserve(BatchHeader.SizeOf(shards, 0));
        for (int shard = 0; shard < shards; shard++)
        {
            rows[shard].Write(_header.AsSpan(BatchHeader.FixedSize + (shard * ShardRow.Size)), new ShardId((ushort)shard));
        }

        _parts.Add(default);
    }

    /// <summary>Adds a restart. False when the batch is full.</summary>
    public bool TryAddRestart(ShardId shard, LogPosition position)
    {
        if (!HasRoom(0)) return false;
        AddRecord(new BatchRecord(BatchRecordKind.Restart, shard, 0, position.Index, position.Term, Term.Zero, 0));
        return true;
    }

    /// <summary>Takes as many entries of an append as fit. The record of what was taken, or null when nothing was.</summary>
    public BatchRecord? AddRun(WalOperation append)
    {
        LogPosition before = append.Position;
        int bytes = 0;
        int count = 0;
        while (append.Taken < append.Entries.Length && HasRoom(append.Entries[append.Taken].SizeBytes))
        {
            LogEntry entry = append.Entries[append.Taken];
            _entries.Add((entry, _dataBytes));
            _parts.Add(entry.Bytes);
            _dataBytes += entry.SizeBytes;
            bytes += entry.SizeBytes;
            append.Position = new LogPosition(entry.Term, entry.Index);
            append.Taken++;
            count++;
        }

        if (count == 0) return null;
        var record = new BatchRecord(
            BatchRecordKind.Run, append.Shard, count, before.Index.Next, before.Term, append.Position.Term, bytes);
        AddRecord(record);
        return record;
    }

    /// <summary>Seals the batch; the parts to write at <paramref name="position"/>, padded to whole blocks so that the kernel need not read any.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Finish(WalPosition position, WalPosition syncedTo, byte[]? segmentHeader, out WalPosition end)
    {
        uint dataCrc = BatchHeader.StartDataCrc(position);
        for (int part = 1; part < _parts.Count; part++)
        {
            dataCrc = Crc32C.Append(dataCrc, _parts[part].Span);
        }

        BatchHeader.Seal(_header.AsSpan(0, HeaderBytes), position, syncedTo, shards, _records, _dataBytes, dataCrc);
        _parts[0] = _header.AsMemory(0, HeaderBytes);
        long size = WalFormat.RoundUp(HeaderBytes + _dataBytes);
        int padding = (int)(size - HeaderBytes - _dataBytes);
        if (padding > 0) _parts.Add(Padding.AsMemory(0, padding));
        if (segmentHeader is not null) _parts.Insert(0, segmentHeader);
        end = position with { Offset = checked(position.Offset + (int)size) };
        return _parts;
    }

    private bool HasRoom(int entryBytes)
    {
        if (_records >= MaxRecords || (_dataBytes > 0 && _dataBytes + entryBytes > FullBytes)) return false;
        return WalFormat.RoundUp(BatchHeader.SizeOf(shards, _records + 1) + (long)_dataBytes + entryBytes) <= _room;
    }

    private void AddRecord(BatchRecord record)
    {
        Reserve(BatchHeader.SizeOf(shards, _records + 1));
        record.Write(_header.AsSpan(BatchHeader.SizeOf(shards, _records)));
        _records++;
    }

    private void Reserve(int bytes)
    {
        if (_header.Length < bytes) Array.Resize(ref _header, Math.Max(bytes, _header.Length * 2));
    }
}
