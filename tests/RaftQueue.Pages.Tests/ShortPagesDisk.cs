using System.Runtime.InteropServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

/// <summary>
/// A disk for one large file whose blocks of 4 KiB mostly end after 16 bytes. What it holds is not on the managed heap, or was there from
/// the beginning, so that others' memory can be measured beside it.
/// </summary>
internal sealed class ShortPagesDisk(int blocks) : IDisk, IDiskFile
{
    private const int Short = 16;

    private readonly byte[] _short = new byte[(long)blocks * Short];
    private readonly nint[] _whole = new nint[blocks];

    public long Length { get; private set; }

    public IDiskFile Open(string path, bool create) => this;

    public bool FileExists(string path) => !path.EndsWith(".fetching", StringComparison.Ordinal);

    public IReadOnlyList<string> ListFiles(string directory) => [];

    public void CreateDirectory(string path)
    {
        // There is one file.
    }

    public void Rename(string from, string to) => throw new NotSupportedException();

    public void Delete(string path) => throw new NotSupportedException();

    public void SyncDirectory(string path)
    {
        // Nothing here outlives the process.
    }

    public long FreeBytes(string path) => long.MaxValue;

    public unsafe int ReadAt(long offset, Span<byte> buffer)
    {
        for (int done = 0; done < buffer.Length; done += PageStore.PageSize)
        {
            int block = (int)((offset + done) / PageStore.PageSize);
            Span<byte> to = buffer.Slice(done, PageStore.PageSize);
            if (_whole[block] != 0)
            {
                new ReadOnlySpan<byte>((void*)_whole[block], PageStore.PageSize).CopyTo(to);
                continue;
            }

            _short.AsSpan(block * Short, Short).CopyTo(to);
            to[Short..].Clear();
        }

        return buffer.Length;
    }

    public unsafe void WriteAt(long offset, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length; done += PageStore.PageSize)
        {
            int block = (int)((offset + done) / PageStore.PageSize);
            ReadOnlySpan<byte> from = data.Slice(done, PageStore.PageSize);
            bool isShort = from[Short..].IndexOfAnyExcept((byte)0) < 0;
            if (isShort && _whole[block] == 0)
            {
                from[..Short].CopyTo(_short.AsSpan(block * Short));
                continue;
            }

            if (_whole[block] == 0) _whole[block] = (nint)NativeMemory.Alloc(PageStore.PageSize);
            from.CopyTo(new Span<byte>((void*)_whole[block], PageStore.PageSize));
        }

        Length = Math.Max(Length, offset + data.Length);
    }

    public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => throw new NotSupportedException();

    public void DataSync()
    {
        // Nothing here outlives the process.
    }

    public void Allocate(long length) => Length = Math.Max(Length, length);

    public void SetLength(long length) => Length = length;

    public void Advise(DiskAdvice advice, long offset, long length)
    {
        // All of it is in memory.
    }

    public unsafe void Dispose()
    {
        foreach (nint block in _whole) NativeMemory.Free((void*)block);
        Array.Clear(_whole);
    }
}
