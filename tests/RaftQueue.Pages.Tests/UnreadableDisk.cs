using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Pages.Tests;

/// <summary>A disk on which no read that touches one slot works (EIO).</summary>
internal sealed class UnreadableDisk(FakeDisk disk, uint slot) : IDisk
{
    public IDiskFile Open(string path, bool create) => new UnreadableFile(disk.Open(path, create), slot);

    public bool FileExists(string path) => disk.FileExists(path);

    public IReadOnlyList<string> ListFiles(string directory) => disk.ListFiles(directory);

    public void CreateDirectory(string path) => disk.CreateDirectory(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncDirectory(string path) => disk.SyncDirectory(path);

    public long FreeBytes(string path) => disk.FreeBytes(path);

    private sealed class UnreadableFile(IDiskFile file, uint slot) : IDiskFile
    {
        public long Length => file.Length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            long bad = (long)slot * PageStore.PageSize;
            bool touches = offset < bad + PageStore.PageSize && offset + buffer.Length > bad;
            return touches ? throw new DiskException("pread", "checkpoint", 5) : file.ReadAt(offset, buffer);
        }

        public void WriteAt(long offset, ReadOnlySpan<byte> data) => file.WriteAt(offset, data);

        public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => file.WriteGatherAt(offset, parts);

        public void DataSync() => file.DataSync();

        public void Allocate(long length) => file.Allocate(length);

        public void SetLength(long length) => file.SetLength(length);

        public void Dispose() => file.Dispose();
    }
}
