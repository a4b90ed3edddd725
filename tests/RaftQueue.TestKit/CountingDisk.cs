using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>A disk that counts what is read, and on which reading can be made to fail (EIO), everywhere or where it touches one slot.</summary>
public sealed class CountingDisk(FakeDisk disk) : IDisk
{
    private const int SlotBytes = 4096;

    public long ReadBytes { get; private set; }

    public long Writes { get; private set; }

    /// <summary>Reads and what was told about reads to come, in order.</summary>
    public List<(DiskAdvice? Advice, long Offset, long Length)> Calls { get; } = [];

    public bool FailReads { get; set; }

    public uint? UnreadableSlot { get; init; }

    /// <summary>Called on the thread that reads, before it does.</summary>
    public Action? BeforeRead { get; set; }

    public IDiskFile Open(string path, bool create) => new CountingFile(this, disk.Open(path, create));

    public bool FileExists(string path) => disk.FileExists(path);

    public IReadOnlyList<string> ListFiles(string directory) => disk.ListFiles(directory);

    public void CreateDirectory(string path) => disk.CreateDirectory(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncDirectory(string path) => disk.SyncDirectory(path);

    public long FreeBytes(string path) => disk.FreeBytes(path);

    private bool Fails(long offset, int length) => FailReads
        || (UnreadableSlot * SlotBytes is { } bad && offset < bad + SlotBytes && offset + length > bad);

    private sealed class CountingFile(CountingDisk owner, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            owner.BeforeRead?.Invoke();
            if (owner.Fails(offset, buffer.Length)) throw new DiskException("pread", "checkpoint", 5);
            owner.ReadBytes += buffer.Length;
            owner.Calls.Add((null, offset, buffer.Length));
            return file.ReadAt(offset, buffer);
        }

        public void WriteAt(long offset, ReadOnlySpan<byte> data)
        {
            owner.Writes++;
            file.WriteAt(offset, data);
        }

        public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => file.WriteGatherAt(offset, parts);

        public void DataSync() => file.DataSync();

        public void Allocate(long length) => file.Allocate(length);

        public void SetLength(long length) => file.SetLength(length);

        public void Advise(DiskAdvice advice, long offset, long length)
        {
            owner.Calls.Add((advice, offset, length));
            file.Advise(advice, offset, length);
        }

        public void Dispose() => file.Dispose();
    }
}
