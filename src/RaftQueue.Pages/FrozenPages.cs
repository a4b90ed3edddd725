using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// What changed between two freezes: every page changed, with the frame that held it at the freeze, in page order. Made by
/// the apply loop, then read by the checkpoint loop without a lock: until this is finished, the apply loop neither writes
/// nor reuses a frame named here whose page has not been copied (<see cref="CopiedThrough"/>), it moves the page to
/// another frame instead. Exactly one of a commit and <see cref="Abort"/> finishes it.
/// </summary>
public sealed class FrozenPages
{
    private readonly uint[] _pages;
    private uint[] _frames;
    private readonly nint[] _chunks;
    private readonly BufferPool _pool;
    private uint _copiedThrough;
    private volatile FrozenState _state;

    internal FrozenPages(CheckpointInfo info, uint[] pages, uint[] frames, BufferPool pool, TableNode? baseTable, int allocated)
    {
        Info = info;
        _pages = pages;
        _frames = frames;
        _pool = pool;
        _chunks = pool.Chunks;
        BaseTable = baseTable;
        AllocatedPages = allocated;
    }

    public CheckpointInfo Info { get; }

    /// <summary>Pages changed or freed since the freeze before.</summary>
    public int ChangedPages => _pages.Length;

    /// <summary>Pages in the whole state at the freeze.</summary>
    public int AllocatedPages { get; }

    /// <summary>The table of the checkpoint that the changes are relative to; null when all pages are here.</summary>
    internal TableNode? BaseTable { get; private set; }

    /// <summary>The table after the changes, once committed.</summary>
    internal TableNode? CommittedTable { get; private set; }

    internal FrozenState State => _state;

    /// <summary>No later page has been copied out of its frame yet. Set by the checkpoint loop, read by the apply loop.</summary>
    internal uint CopiedThrough => Volatile.Read(ref _copiedThrough);

    internal uint PageAt(int position) => _pages[position];

    internal bool IsFreedAt(int position) => _frames[position] == BufferPool.NoFrame;

    /// <summary>Copies a page as it was at the freeze and lets the apply loop have its frame back. Positions only rise.</summary>
    internal unsafe void CopyAndLetGo(int position, Span<byte> destination)
    {
        new ReadOnlySpan<byte>(BufferPool.Pointer(_chunks, _frames[position]), PageStore.PageSize).CopyTo(destination);
        LetGo(position);
    }

    internal void LetGo(int position)
    {
        Volatile.Write(ref _copiedThrough, _pages[position]);
        GC.KeepAlive(_pool);
    }

    /// <summary>The changes are durable in a checkpoint whose table is <paramref name="table"/>.</summary>
    internal void Commit(TableNode table)
    {
        Invariant.That(_state == FrozenState.Open, "frozen pages are finished once");
        CommittedTable = table;
        LetMemoryGo();
        _state = FrozenState.Committed;
    }

    /// <summary>Gives the checkpoint up: the next freeze contains these changes again. Safe from any one thread.</summary>
    public void Abort()
    {
        Invariant.That(_state == FrozenState.Open, "frozen pages are finished once");
        LetMemoryGo();
        _state = FrozenState.Aborted;
    }

    // Whoever still holds this must not hold the old table with it.
    private void LetMemoryGo()
    {
        BaseTable = null;
        _frames = [];
    }

    // For the store when it takes its pages back.
    internal ReadOnlySpan<uint> Pages => _pages;
}
