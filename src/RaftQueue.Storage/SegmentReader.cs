using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>Reads batches of one segment file through a window. Spans are valid until the next call. Not thread-safe.</summary>
internal sealed class SegmentReader(IDiskFile file, long sequence)
{
    private const int WindowBytes = 256 * 1024;

    private byte[] _window = new byte[WindowBytes];
    private long _start;
    private int _length;

    public long Length { get; } = file.Length;

    /// <summary>The segment's own header, or null when it is bad or another segment's.</summary>
    public SegmentHeader? ReadSegmentHeader() =>
        SegmentHeader.TryRead(Get(0, SegmentHeader.Size), out SegmentHeader header) && header.Sequence == sequence ? header : null;

    /// <summary>The batch header that starts at <paramref name="offset"/>, or null when there is no whole one.</summary>
    public BatchHeader? HeaderAt(int offset)
    {
        var position = new WalPosition(sequence, offset);
        int size = BatchHeader.PeekSize(Get(offset, BatchHeader.FixedSize), position, Length);
        return size == 0 ? null : BatchHeader.TryRead(Get(offset, size), position);
    }

    /// <summary>Whether the batch's data is what its header says.</summary>
    public bool DataHolds(BatchHeader header)
    {
        ReadOnlySpan<byte> data = DataOf(header);
        return data.Length == header.DataBytes && Crc32C.Append(BatchHeader.StartDataCrc(header.Position), data) == header.DataCrc;
    }

    public ReadOnlySpan<byte> DataOf(BatchHeader header) => Get(header.Position.Offset + header.HeaderBytes, header.DataBytes);

    /// <summary>The first batch header at or behind <paramref name="offset"/> and before <paramref name="limit"/> that <paramref name="accept"/> takes.</summary>
    public BatchHeader? NextHeader(int offset, long limit, Func<BatchHeader, bool> accept)
    {
        for (long at = offset; at + BatchHeader.FixedSize <= Math.Min(limit, Length); at += WalFormat.BlockBytes)
        {
            if (HeaderAt((int)at) is { } header && accept(header)) return header;
        }

        return null;
    }

    /// <summary>Bytes at an offset; fewer than asked for only at the end of the file.</summary>
    public ReadOnlySpan<byte> Get(long offset, int length)
    {
        if (offset < _start || offset + length > _start + _length)
        {
            if (_window.Length < length) _window = new byte[WalFormat.RoundUp(length)];
            _start = offset;
            _length = file.ReadAt(offset, _window);
        }

        int from = (int)(offset - _start);
        return _window.AsSpan(from, Math.Max(0, Math.Min(length, _length - from)));
    }
}
