namespace RaftQueue.Pages;

/// <summary>
/// Frames by page, in blocks of 256 pages made on first use: whatever it holds, no step costs more than a block, and it can be
/// taken apart piece by piece. Not thread-safe.
/// </summary>
internal sealed class PageFrames
{
    private const int BlockShift = 8;
    private const int BlockPages = 1 << BlockShift;

    private uint[]?[] _blocks = []; // a frame plus one; 0 is none
    private uint _takenThrough;     // there is nothing in the blocks below

    public int Count { get; private set; }

    public bool Contains(uint page) => TryGet(page, out _);

    public bool TryGet(uint page, out uint frame)
    {
        uint block = page >> BlockShift;
        uint held = block < (uint)_blocks.Length && _blocks[block] is { } frames ? frames[page & (BlockPages - 1)] : 0;
        frame = held - 1;
        return held != 0;
    }

    /// <summary>Adds a page that is not there.</summary>
    public void Add(uint page, uint frame)
    {
        uint block = page >> BlockShift;
        if (block >= (uint)_blocks.Length) Array.Resize(ref _blocks, Math.Max((int)block + 1, _blocks.Length * 2));
        (_blocks[block] ??= new uint[BlockPages])[page & (BlockPages - 1)] = frame + 1;
        Count++;
    }

    /// <summary>False when it was not there.</summary>
    public bool Remove(uint page)
    {
        if (!Contains(page)) return false;
        _blocks[page >> BlockShift]![page & (BlockPages - 1)] = 0;
        Count--;
        return true;
    }

    /// <summary>
    /// Takes out what the next blocks hold, until <paramref name="atLeast"/> frames are in <paramref name="into"/> or so many pages
    /// were looked at, and a block more at most.
    /// </summary>
    public void TakeSome(int atLeast, List<uint> into)
    {
        for (int seen = 0; Count > 0 && seen < atLeast && into.Count < atLeast; seen += BlockPages)
        {
            if (_blocks[_takenThrough++] is not { } frames) continue;
            foreach (uint held in frames)
            {
                if (held == 0) continue;
                into.Add(held - 1);
                Count--;
            }

            _blocks[_takenThrough - 1] = null;
        }
    }
}
