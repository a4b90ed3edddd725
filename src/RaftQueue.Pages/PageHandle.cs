using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// A page held in memory until <see cref="Dispose"/>; spans taken from it must not outlive it, because the page may move
/// to another frame afterwards. A page may be pinned several times at once, except that it is not pinned for writing
/// while only handles with <see cref="PageIntent.Read"/> are alive (they could go on seeing the bytes before the write:
/// a broken invariant). Reading under a live write handle is allowed and sees the writes.
/// </summary>
public unsafe ref struct PageHandle
{
    private readonly byte* _bytes;
    private readonly ulong _check;
    private readonly uint _page;
    private readonly PageIntent _intent;
    private PageStore? _store;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal PageHandle(PageStore store, byte* bytes, uint page, PageIntent intent, ulong check)
    {
        _store = store;
        _bytes = bytes;
        _page = page;
        _intent = intent;
        _check = check;
    }

    /// <summary>Which page this is.</summary>
    public readonly PageNumber Page => new(_page);

    /// <summary>The page's 4,096 bytes, to read.</summary>
    public readonly ReadOnlySpan<byte> Read => new(_bytes, PageStore.PageSize);

    /// <summary>The page's 4,096 bytes, to change. Under <see cref="PageIntent.Read"/> this is a broken invariant.</summary>
    public readonly Span<byte> Write
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(_intent == PageIntent.Write, "a page pinned for reading is not written");
            return new Span<byte>(_bytes, PageStore.PageSize);
        }
    }

    /// <summary>
    /// The page's 4,096 bytes for code that serves both intents. Writing under <see cref="PageIntent.Read"/> is a bug that
    /// only <see cref="PageStoreOptions.CheckReads"/> finds: prefer <see cref="Read"/> and <see cref="Write"/>.
    /// </summary>
    public readonly Span<byte> Bytes => new(_bytes, PageStore.PageSize);

    /// <summary>Unpins the page. A second call does nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose()
    {
        PageStore? store = _store;
        if (store is null) return;
        _store = null;
        store.Unpin(_page, _intent, _check);
    }
}
