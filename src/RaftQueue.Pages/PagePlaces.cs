using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Where in the file pages stand that no checkpoint has there: by page, in blocks of 256 pages made on first use (16 bytes a
/// page of a block). Not thread-safe.
/// </summary>
internal sealed class PagePlaces
{
    private TableNode?[] _blocks = [];

    /// <summary>Pages with a place.</summary>
    public int Count { get; private set; }

    /// <summary>The place, empty when the page has none.</summary>
    public TableEntry this[uint page]
    {
        get
        {
            uint block = page >> 8;
            return block < (uint)_blocks.Length && _blocks[block] is { } node ? node[(int)page & 0xFF] : default;
        }
    }

    /// <summary>Sets a place, in place of the one before.</summary>
    public void Set(uint page, TableEntry place)
    {
        Invariant.That(!place.IsEmpty, "a place is a slot of the file");
        uint block = page >> 8;
        if (block >= (uint)_blocks.Length) Array.Resize(ref _blocks, Math.Max((int)block + 1, _blocks.Length * 2));
        TableNode node = _blocks[block] ??= TableNode.Empty(0);
        if (node[(int)page & 0xFF].IsEmpty) Count++;
        node.Set((int)page & 0xFF, place);
    }

    /// <summary>Forgets a page's place and returns it, empty when it had none.</summary>
    public TableEntry Remove(uint page)
    {
        TableEntry place = this[page];
        if (place.IsEmpty) return place;
        _blocks[page >> 8]!.Set((int)page & 0xFF, default);
        Count--;
        return place;
    }
}
