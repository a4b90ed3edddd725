using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>4 KiB of a <see cref="FakeInode"/>, with what the medium holds beside it while the two differ.</summary>
internal sealed class FakePage
{
    private byte[]? _durable;
    private byte[]? _previous;
    private byte _dirty;
    private byte _ghost;

    /// <summary>Not changed but through this class; zeros are one array for all who hold nothing else.</summary>
    public byte[] Current { get; private set; } = PageArrays.Zeros;

    public bool IsDirty => _dirty != 0;

    /// <summary>Whether the medium has these bytes as they are read, damage aside.</summary>
    public bool IsDurable(int offset, int length)
    {
        int unsynced = _dirty | _ghost;
        for (int sector = offset / FakeInode.SectorBytes; sector * FakeInode.SectorBytes < offset + length; sector++)
        {
            if ((unsynced & (1 << sector)) != 0) return false;
        }

        return true;
    }

    /// <summary>What the medium has; not to be changed.</summary>
    public byte[] Medium => _durable ?? Current;

    /// <summary>Dirty, or a ghost.</summary>
    public bool DiffersFromMedium => _durable is not null;

    public void Write(int offset, ReadOnlySpan<byte> data)
    {
        if (_durable is null)
        {
            // What is there stays as the medium's, and a new array begins with what is not overwritten.
            _durable = Current;
            Current = PageArrays.Rent();
            int end = offset + data.Length;
            _durable.AsSpan(0, offset).CopyTo(Current);
            _durable.AsSpan(end).CopyTo(Current.AsSpan(end));
        }

        data.CopyTo(Current.AsSpan(offset));
        for (int sector = offset / FakeInode.SectorBytes; sector * FakeInode.SectorBytes < offset + data.Length; sector++)
        {
            _dirty |= (byte)(1 << sector);
            _ghost &= (byte)~(1 << sector);
        }
    }

    public void Sync()
    {
        if (_durable is null) return;
        if (_ghost == 0)
        {
            PageArrays.Return(_previous);
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

        PageArrays.Return(Current);
        Current = _durable;
        _durable = null;
        _dirty = 0;
        _ghost = 0;
    }

    public void Damage(int offset, ReadOnlySpan<byte> data)
    {
        Current = PageArrays.Owned(Current);
        data.CopyTo(Current.AsSpan(offset));
        if (_durable is not null) data.CopyTo(Durable().AsSpan(offset));
    }

    /// <summary>What the medium held before the last sync of this page; zeros when there was none.</summary>
    public void MakeStale(int offset, int length) =>
        Damage(offset, _previous is null ? new byte[length] : _previous.AsSpan(offset, length).ToArray());

    public void FlipBit(int offset, int bit)
    {
        Current = PageArrays.Owned(Current);
        Current[offset] ^= (byte)(1 << bit);
        if (_durable is not null) Durable()[offset] ^= (byte)(1 << bit);
    }

    /// <summary>The page is not used any more.</summary>
    public void Release()
    {
        PageArrays.Return(Current);
        PageArrays.Return(_durable);
        PageArrays.Return(_previous);
        Current = PageArrays.Zeros;
        _durable = _previous = null;
    }

    /// <summary>What the medium holds, to be changed.</summary>
    private byte[] Durable() => _durable = PageArrays.Owned(_durable!);

    private void Keep(int sector, int from, int to)
    {
        int start = sector * FakeInode.SectorBytes;
        Current.AsSpan(start + from, to - from).CopyTo(Durable().AsSpan(start + from));
    }
}
