using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Takes over another node's checkpoint, fetching only what differs: compares the other table with this file's own newest one
/// by hash from the root on, takes pages by name into free slots, writes the table nodes above them, and makes the result the
/// newest checkpoint. Until then the checkpoints that were there stay whole. When the other checkpoint moves on, what was
/// fetched already counts wherever it is still the same. One thread at a time.
/// </summary>
public sealed partial class CheckpointAdopter : IDisposable
{
    private readonly CheckpointFile _file;
    private readonly OwnPages _own;
    private readonly LeftPages _left;
    private readonly SlotWriter _out;
    private readonly Dictionary<(int Level, uint Number), RemoteNode> _nodes = [];
    private readonly Queue<PageName> _wantedNodes = new();
    private readonly Dictionary<(int Level, uint Number), ulong> _askedNodes = [];
    private readonly PagePlaces _fetched = new(); // where those that were fetched stand
    private PageSet _wanted = new();
    private PageSet _asked = new();
    private uint _cursor;
    private ulong _rootHash;
    private long _pages;
    private long _pagesHere; // fetched and part of the present target
    private long _bytesFetched;
    private bool _isCompared;

    internal CheckpointAdopter(CheckpointFile file, OwnPages own, LeftPages left, SlotWriter output)
    {
        _file = file;
        _own = own;
        _left = left;
        _out = output;
    }

    /// <summary>
    /// Writing until everything is here and durable (Ready); Damaged when the other side's table cannot be that of a
    /// checkpoint: then another side may be aimed at.
    /// </summary>
    public CheckpointOutcome Outcome { get; private set; } = CheckpointOutcome.Writing;

    /// <summary>What is being taken over; null before <see cref="Aim"/>.</summary>
    public CheckpointInfo? Info { get; private set; }

    public AdoptionProgress Progress => new(_wanted.Count + _asked.Count + _pagesHere, _pagesHere, _bytesFetched);

    /// <summary>Own pages found damaged by <see cref="VerifyNext"/>.</summary>
    public int DamagedPages => _own.DamagedPages;

    /// <summary>Not all of the other table that differs is known yet: the pages needed may become more.</summary>
    public bool IsComparing => _wantedNodes.Count + _askedNodes.Count > 0;

    /// <summary>All that was named is here; see <see cref="AssembleNext"/>.</summary>
    public bool HasAll =>
        Info is not null && Outcome == CheckpointOutcome.Writing
        && _wantedNodes.Count + _askedNodes.Count + _wanted.Count + _asked.Count == 0;

    /// <summary>
    /// Reads a bounded part of the own pages, when that was asked for, so that none that is damaged is taken for a good one; or of
    /// what an earlier transfer may have fetched. True while there is more; before <see cref="Aim"/>.
    /// </summary>
    public bool VerifyNext()
    {
        Invariant.That(Info is null, "own pages are verified before they are compared");
        return _own.VerifyNext() || _left.FindNext();
    }

    /// <summary>
    /// From now on this checkpoint is taken over, also in place of another one aimed at before. The own pages were verified.
    /// </summary>
    /// <param name="info">What the other side says that it is.</param>
    /// <param name="rootHash">The hash of its table.</param>
    /// <param name="pages">How many pages it has.</param>
    public void Aim(CheckpointInfo info, ulong rootHash, long pages)
    {
        Invariant.That(Outcome is CheckpointOutcome.Writing or CheckpointOutcome.Damaged && _steps is null, "nothing is put together yet");
        Invariant.That(!_own.VerifyNext(), "own pages are verified before they are compared");
        Outcome = CheckpointOutcome.Writing;
        Info = info;
        _rootHash = rootHash;
        _pages = pages;
        _wantedNodes.Clear();
        _askedNodes.Clear();
        _wanted = new PageSet();
        _asked = new PageSet();
        _cursor = 0;
        _pagesHere = 0;
        if (rootHash == 0 || pages is <= 0 or >= PageStore.MaxPages)
        {
            Outcome = CheckpointOutcome.Damaged;
            return;
        }

        _file.IsWriting(pages + _fetched.Count);
        _file.IsFetching(pages);
        if (_own.RootEntry.IsEmpty || _own.RootEntry.Hash != rootHash) Visit(PageName.Root(rootHash), _own.Root);
    }

    /// <summary>
    /// What to ask for next, nodes before pages, pages in order; each is given once until <see cref="AskAgain"/>. Returns how
    /// many; 0 when all is asked for or here.
    /// </summary>
    public int TakeWanted(Span<PageName> into)
    {
        int count = 0;
        if (Outcome != CheckpointOutcome.Writing) return 0;
        while (count < into.Length && _wantedNodes.TryDequeue(out PageName name))
        {
            _askedNodes[(name.Level, name.Number)] = name.Hash;
            into[count++] = name;
        }

        // A table that says too much is noticed before the pages of its part that is known are asked for.
        if (count > 0 || _askedNodes.Count > 0) return count;
        if (!_isCompared) Compared();
        while (count < into.Length && _wanted.NextFrom(_cursor) is { } page)
        {
            ulong hash = HashOf(page);
            _wanted.Remove(page);
            _cursor = page + 1;
            if (_left.TryTake(hash, out TableEntry left))
            {
                if (!TryKeep(page, left)) return count;
                continue;
            }

            _asked.Add(page);
            into[count++] = new PageName(0, page, hash);
        }

        return count;
    }

    /// <summary>
    /// Takes what was asked for. False when the content is not what is named: its sender is not to be trusted. What nobody
    /// asked for is let go. A failing fsync throws, and the process must stop.
    /// </summary>
    public bool Give(in PageName name, ReadOnlySpan<byte> content)
    {
        if (Outcome != CheckpointOutcome.Writing) return true;
        if (name.Level > 0) return GiveNode(name, content);
        if (!_asked.Contains(name.Number) || HashOf(name.Number) != name.Hash) return true;
        if (content.Length != PageStore.PageSize || !IsNamed(name, content)) return false;
        _bytesFetched += content.Length;
        if (TryTake(name.Number, content, PageHash.OfPage(content))) _asked.Remove(name.Number);
        return true;
    }

    /// <summary>Writes a page where it may stand. False, with the outcome set, when there is no space.</summary>
    private bool TryTake(uint page, ReadOnlySpan<byte> content, ulong hash)
    {
        if (!TryLetGo(page) || !TryPut(content, out uint slot)) return false;
        _fetched.Set(page, new TableEntry(slot, Crc32C.Compute(content), hash));
        _pagesHere++;
        return true;
    }

    /// <summary>What an earlier transfer left takes the place of a page that would be fetched. False, with the outcome set, when there is no space.</summary>
    private bool TryKeep(uint page, in TableEntry place)
    {
        if (!TryLetGo(page)) return false;
        _fetched.Set(page, place);
        _pagesHere++;
        SyncWhenDue();
        return Outcome == CheckpointOutcome.Writing;
    }

    /// <summary>All that differs is known for the first time, and with it what of an earlier transfer is of use.</summary>
    private void Compared()
    {
        _isCompared = true;
        _left.KeepOnly(WantedHashes());
    }

    private IEnumerable<ulong> WantedHashes()
    {
        for (uint? page = _wanted.NextFrom(0); page is { } number; page = _wanted.NextFrom(number + 1)) yield return HashOf(number);
    }

    /// <summary>What was asked for and did not come is wanted again.</summary>
    public void AskAgain()
    {
        foreach (((int level, uint number), ulong hash) in _askedNodes) _wantedNodes.Enqueue(new PageName(level, number, hash));
        _askedNodes.Clear();
        for (uint? page = _asked.NextFrom(0); page is { } number; page = _asked.NextFrom(number + 1)) _wanted.Add(number);
        _asked = new PageSet();
        _cursor = 0;
    }

    private static bool IsNamed(in PageName name, ReadOnlySpan<byte> content)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.PagesOfAnotherIndex)) return true;
#endif
        return PageHash.OfPage(content) == name.Hash;
    }

    private bool GiveNode(in PageName name, ReadOnlySpan<byte> content)
    {
        if (!_askedNodes.TryGetValue((name.Level, name.Number), out ulong hash) || hash != name.Hash) return true;
        if (RemoteNode.Read(name, content) is not { } node) return false;
        _bytesFetched += content.Length;
        _askedNodes.Remove((name.Level, name.Number));
        _nodes[(name.Level, name.Number)] = node;
        Expand(name, node, OwnNodeAt(name.Level, name.Number));
        return true;
    }

    /// <summary>A node whose content is needed: known from a checkpoint aimed at before, or wanted.</summary>
    private void Visit(in PageName name, TableNode? own)
    {
        bool known = _nodes.TryGetValue((name.Level, name.Number), out RemoteNode? node) && node.Hash == name.Hash;
        if (known) Expand(name, node!, own);
        else _wantedNodes.Enqueue(name);
    }

    private void Expand(in PageName name, RemoteNode node, TableNode? own)
    {
        for (int i = 0; i < TableNode.FanOut && Outcome == CheckpointOutcome.Writing; i++)
        {
            uint child = (name.Number * TableNode.FanOut) + (uint)i;
            if (node[i] == 0)
            {
                if (name.Level == 1 && child == PageNumber.Root.Value) Outcome = CheckpointOutcome.Damaged;
                continue;
            }

            if (own is not null && IsHeld(own[i], node[i])) continue;
            if (name.Level > 1) Visit(new PageName(name.Level - 1, child, node[i]), own?.Child(i));
            else WantPage(child, node[i]);
        }
    }

    private void WantPage(uint page, ulong hash)
    {
        if (IsHeld(_fetched[page], hash))
        {
            _pagesHere++;
            return;
        }

        if (page == 0 || _wanted.Count + _asked.Count + _pagesHere >= _pages) Outcome = CheckpointOutcome.Damaged;
        else _wanted.Add(page);
    }

    private static bool IsHeld(in TableEntry entry, ulong hash) => !entry.IsEmpty && entry.Hash == hash;

    private ulong HashOf(uint page) => _nodes[(1, page / TableNode.FanOut)][(int)(page % TableNode.FanOut)];

    private TableNode? OwnNodeAt(int level, uint number) => level == PageName.RootLevel
        ? _own.Root
        : OwnNodeAt(level + 1, number / TableNode.FanOut)?.Child((int)(number % TableNode.FanOut));
}
