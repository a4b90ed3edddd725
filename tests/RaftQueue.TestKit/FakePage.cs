using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>4 KiB of a <see cref="FakeInode"/>, with what the medium holds beside it while the two differ.</summary>
internal sealed class FakePage
{
    private byte[]? _durable;
    private byte[]? _previous;
    private byte _dirty;
    private byte _ghost;

    public byte[] Current { get; } = new byte[FakeInode.PageBytes];

    public bool IsDirty => _dirty != 0;

    /// <summary>Dirty, or a ghost.</summary>
    public bool DiffersFromMedium => _durable is not null;

    /// <param name="spares">Arrays of a page's size to use again.</param>
    public void Write(int offset, ReadOnlySpan<byte> data, Stack<byte[]> spares)
    {
        if (_durable is null)
        {
            if (!spares.TryPop(out _durable)) _durable = new byte[FakeInode.PageBytes];
            Current.CopyTo(_durable, 0);
        }

        data.CopyTo(Current.AsSpan(offset));
        for (int sector = offset / FakeInode.SectorBytes; sector * FakeInode.SectorBytes < offset + data.Length; sector++)
        {
            _dirty |= (byte)(1 << sector);
            _ghost &= (byte)~(1 << sector);
        }
    }

    public void Sync(Stack<byte[]> spares)
    {
        if (_durable is null) return;
        if (_ghost == 0)
        {
            if (_previous is not null) spares.Push(_previous);
            _previous = _durable;
            _durable = null;
        }
        else
        {
            for (int sector = 0; sector < 8; sector++)
            {
                if ((_dirty & (1 << sector)) != 0) Keep(sector, 0, FakeInode.SectorBytes);
            }
        }

        _dirty = 0;
    }

    public void Forget()
    {
        _ghost |= _dirty;
        _dirty = 0;
    }

    /// <summary>The whole page kept or lost in half of the cases, else each sector kept, lost or torn on its own.</summary>
    public void LosePower(SplitMix64 random)
    {
        if (_durable is null) return;
        long page = random.NextBelow(4);
        for (int sector = 0; sector < 8; sector++)
        {
            if ((_dirty & (1 << sector)) == 0) continue;
            long fate = page < 2 ? page : random.NextBelow(5) / 2;
            if (fate == 0) Keep(sector, 0, FakeInode.SectorBytes);
            if (fate == 2) Keep(sector, 0, (int)random.NextBelow(FakeInode.SectorBytes));
        }

        _durable.CopyTo(Current, 0);
        _durable = null;
        _dirty = 0;
        _ghost = 0;
    }

    public void Damage(int offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(Current.AsSpan(offset));
        if (_durable is not null) data.CopyTo(_durable.AsSpan(offset));
    }

    /// <summary>What the medium held before the last sync of this page; zeros when there was none.</summary>
    public void MakeStale(int offset, int length) =>
        Damage(offset, _previous is null ? new byte[length] : _previous.AsSpan(offset, length).ToArray());

    public void FlipBit(int offset, int bit)
    {
        Current[offset] ^= (byte)(1 << bit);
        if (_durable is not null) _durable[offset] ^= (byte)(1 << bit);
    }

    private void Keep(int sector, int from, int to)
    {
        int start = sector * FakeInode.SectorBytes;
        Current.AsSpan(start + from, to - from).CopyTo(_durable.AsSpan(start + from));
    }
}
