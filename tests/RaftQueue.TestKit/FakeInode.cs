using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>
/// The bytes of one file as readers see them and as the medium has them. Sparse: pages never written are zero.
/// A sector is clean, dirty (unsynced) or a ghost (readable after a failed fsync, but never to be written out, as on
/// Linux since "Can applications recover from fsync failures?").
/// </summary>
internal sealed class FakeInode
{
    public const int PageBytes = 4096;
    public const int SectorBytes = 512;

    private readonly Dictionary<long, FakePage> _pages = [];
    private readonly List<FakePage> _dirty = [];

    public long Length { get; private set; }

    public long DurableLength { get; private set; }

    /// <summary>Bytes of real blocks, for a free-space limit.</summary>
    public long AllocatedBytes { get; private set; }

    public int Read(long offset, Span<byte> buffer)
    {
        int count = (int)Math.Max(0, Math.Min(buffer.Length, Length - offset));
        for (int done = 0; done < count;)
        {
            long page = (offset + done) / PageBytes;
            int within = (int)((offset + done) % PageBytes);
            int part = Math.Min(PageBytes - within, count - done);
            byte[] source = _pages.TryGetValue(page, out FakePage? held) ? held.Current : PageArrays.Zeros;
            source.AsSpan(within, part).CopyTo(buffer[done..]);
            done += part;
        }

        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            long page = (offset + done) / PageBytes;
            int within = (int)((offset + done) % PageBytes);
            int part = Math.Min(PageBytes - within, data.Length - done);
            WritePage(PageToWrite(page), within, data.Slice(done, part));
            done += part;
        }

        Length = Math.Max(Length, offset + data.Length);
        AllocatedBytes = Math.Max(AllocatedBytes, Length);
    }

    public void SetLength(long length)
    {
        for (long page = length / PageBytes; length < Length && page * PageBytes < Length; page++)
        {
            int within = (int)Math.Max(0, length - (page * PageBytes));
            if (_pages.TryGetValue(page, out FakePage? held)) WritePage(held, within, PageArrays.Zeros.AsSpan(within));
        }

        Length = length;
        AllocatedBytes = Math.Min(AllocatedBytes, length);
    }

    /// <summary>Grows with zeros that count as blocks.</summary>
    public void Extend(long length)
    {
        Length = Math.Max(Length, length);
        AllocatedBytes = Math.Max(AllocatedBytes, Length);
    }

    public void Sync()
    {
        foreach (FakePage page in _dirty)
        {
            page.Sync();
        }

        _dirty.Clear();
        DurableLength = Length;
    }

    /// <summary>What the kernel does when the device refuses: the pages count as clean, their content is nowhere.</summary>
    public void FailSync()
    {
        foreach (FakePage page in _dirty)
        {
            page.Forget();
        }

        _dirty.Clear();
    }

    public void LosePower(SplitMix64 random)
    {
        foreach (long number in _pages.Where(pair => pair.Value.DiffersFromMedium).Select(pair => pair.Key).Order().ToArray())
        {
            _pages[number].LosePower(random);
        }

        _dirty.Clear();

        if (Length != DurableLength && random.NextBelow(2) == 0) Length = DurableLength;
        DurableLength = Length;
        AllocatedBytes = Length;
    }

    /// <summary>Changes a bit on the medium and in what is read.</summary>
    public void FlipBit(long offset, int bit) => PageToWrite(offset / PageBytes).FlipBit((int)(offset % PageBytes), bit);

    /// <summary>Other bytes on the medium and in what is read.</summary>
    public void Damage(long offset, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            int within = (int)((offset + done) % PageBytes);
            int part = Math.Min(PageBytes - within, data.Length - done);
            PageToWrite((offset + done) / PageBytes).Damage(within, data.Slice(done, part));
            done += part;
        }
    }

    /// <summary>What the medium held before the last sync of what was written there.</summary>
    public void MakeStale(long offset, int length)
    {
        for (int done = 0; done < length;)
        {
            int within = (int)((offset + done) % PageBytes);
            int part = Math.Min(PageBytes - within, length - done);
            PageToWrite((offset + done) / PageBytes).MakeStale(within, part);
            done += part;
        }
    }

    /// <summary>Whether the medium has these bytes as they are read, damage aside.</summary>
    public bool IsDurable(long offset, int length)
    {
        if (offset + length > DurableLength) return false;
        for (int done = 0; done < length;)
        {
            int within = (int)((offset + done) % PageBytes);
            int part = Math.Min(PageBytes - within, length - done);
            if (_pages.TryGetValue((offset + done) / PageBytes, out FakePage? held) && !held.IsDurable(within, part)) return false;
            done += part;
        }

        return true;
    }

    /// <summary>The pages of which the medium does not have all that is read, in any order.</summary>
    public IEnumerable<long> UnsyncedPages() => _pages.Where(pair => !pair.Value.IsDurable(0, PageBytes)).Select(pair => pair.Key);

    /// <summary>What the medium has of the front of the file.</summary>
    public byte[] ReadMedium(int length)
    {
        byte[] content = new byte[(int)Math.Min(length, DurableLength)];
        for (int done = 0; done < content.Length; done += PageBytes)
        {
            if (!_pages.TryGetValue(done / PageBytes, out FakePage? held)) continue;
            held.Medium.AsSpan(0, Math.Min(PageBytes, content.Length - done)).CopyTo(content.AsSpan(done));
        }

        return content;
    }

    /// <summary>Up to the last byte that is not zero.</summary>
    public long UsedLength()
    {
        for (long page = (Length - 1) / PageBytes; page >= 0; page--)
        {
            if (!_pages.TryGetValue(page, out FakePage? held)) continue;
            int readable = (int)Math.Min(PageBytes, Length - (page * PageBytes));
            int last = held.Current.AsSpan(0, readable).LastIndexOfAnyExcept((byte)0);
            if (last >= 0) return (page * PageBytes) + last + 1;
        }

        return 0;
    }

    /// <summary>The file is not used any more, by anybody.</summary>
    public void Release()
    {
        foreach (FakePage page in _pages.Values) page.Release();
        _pages.Clear();
        _dirty.Clear();
    }

    private void WritePage(FakePage page, int within, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        if (!page.IsDirty) _dirty.Add(page);
        page.Write(within, data);
    }

    private FakePage PageToWrite(long page)
    {
        if (!_pages.TryGetValue(page, out FakePage? held))
        {
            held = new FakePage();
            _pages.Add(page, held);
        }

        return held;
    }
}
