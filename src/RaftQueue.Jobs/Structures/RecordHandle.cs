using System.Runtime.CompilerServices;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.Structures;

/// <summary>One record of a <see cref="RecordSlab"/>, held in memory until <see cref="Dispose"/>; its span must not outlive it.</summary>
public ref struct RecordHandle
{
    private readonly int _offset;
    private readonly int _length;
    private PageHandle _page;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal RecordHandle(PageHandle page, int offset, int length)
    {
        _page = page;
        _offset = offset;
        _length = length;
    }

    /// <summary>The record's bytes. Writing them needs a handle pinned with <see cref="PageIntent.Write"/>.</summary>
    public readonly Span<byte> Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _page.Bytes.Slice(_offset, _length);
    }

    /// <summary>Unpins the record's page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose() => _page.Dispose();
}
