using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>A checkpoint of pages that say their own number; the hash of a page is its number and of a node its level and number.</summary>
internal sealed class PageSource(int pages) : ITransferSource
{
    private int _open;

    public (ShardId Shard, LogIndex AtLeast) Asked { get; private set; }

    public byte[] Info { get; set; } = [1, 2, 3];

    /// <summary>Null is returned instead of a reader.</summary>
    public bool HasNone { get; set; }

    /// <summary>After so many questions the checkpoint is gone; another may be opened.</summary>
    public int GoneAfter { get; init; } = int.MaxValue;

    /// <summary>Readers that were opened and not disposed.</summary>
    public int Open => Volatile.Read(ref _open);

    public int Opened { get; private set; }

    public static PageName Page(uint number) => new(0, number, number);

    public static byte[] ContentOf(in PageName name)
    {
        byte[] content = new byte[name.ContentBytes];
        for (int i = 0; i + 8 <= content.Length; i += 8) BitConverter.TryWriteBytes(content.AsSpan(i), name.Hash + (ulong)i);
        return content;
    }

    ITransferReader? ITransferSource.Open(ShardId shard, LogIndex atLeast)
    {
        Asked = (shard, atLeast);
        if (HasNone) return null;
        Opened++;
        Interlocked.Increment(ref _open);
        return new Reader(this);
    }

    private sealed class Reader(PageSource source) : ITransferReader
    {
        private readonly int _pages = source.PagesNow;
        private int _questions;

        public ReadOnlyMemory<byte> InfoBytes { get; } = source.Info;

        public bool TryRead(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents, out int written)
        {
            written = 0;
            if (++_questions > source.GoneAfter) return false;
            for (int i = 0; i < names.Length; i++)
            {
                found[i] = names[i].Level > 0 || names[i].Number <= _pages;
                if (!found[i]) continue;
                ContentOf(names[i]).CopyTo(contents[written..]);
                written += names[i].ContentBytes;
            }

            return true;
        }

        public void Dispose() => Interlocked.Decrement(ref source._open);
    }

    private int PagesNow => pages;
}
