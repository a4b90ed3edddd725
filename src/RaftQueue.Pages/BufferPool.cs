using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Page-sized frames of native memory, taken from the system in chunks of 1 MiB and kept until the end. Frames are taken
/// and returned by the apply loop alone. Their bytes may be read from another thread through the <see cref="Chunks"/> of a
/// moment at which they were taken: growing replaces that array and never changes or frees what an older one points to.
/// </summary>
internal sealed unsafe class BufferPool : IDisposable
{
    /// <summary>No frame.</summary>
    public const uint NoFrame = uint.MaxValue;

    private const int FramesPerChunkShift = 8;
    private const uint FrameInChunkMask = (1 << FramesPerChunkShift) - 1;
    private const int FramesPerChunk = 1 << FramesPerChunkShift;

    private nint[] _chunks = [];
    private int _chunkCount;
    private uint[] _free = new uint[FramesPerChunk];
    private int _freeCount;
    private uint _unused;

    ~BufferPool() => Release();

    /// <summary>The addresses of all chunks; see the remarks of the class.</summary>
    public nint[] Chunks => _chunks;

    /// <summary>Every frame given out so far is below this.</summary>
    public uint Used => _unused;

    /// <summary>Frames in use.</summary>
    public long Taken => _unused - _freeCount;

    /// <summary>Whether the next <see cref="Take"/> needs a new chunk.</summary>
    public bool IsExhausted => _freeCount == 0 && _unused == (uint)_chunkCount << FramesPerChunkShift;

    /// <summary>Bytes taken from the system.</summary>
    public long ReservedBytes => (long)_chunkCount * FramesPerChunk * PageStore.PageSize;

    /// <summary>The first byte of a frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Pointer(uint frame) => Pointer(_chunks, frame);

    /// <inheritdoc cref="Pointer(uint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Pointer(nint[] chunks, uint frame) =>
        (byte*)chunks[frame >> FramesPerChunkShift] + ((nuint)(frame & FrameInChunkMask) * PageStore.PageSize);

    /// <summary>A frame with arbitrary bytes.</summary>
    public uint Take()
    {
        if (_freeCount > 0) return _free[--_freeCount];
        if (IsExhausted) Grow();
        return _unused++;
    }

    /// <summary>Gives a frame back. Nobody may read or write it any more.</summary>
    public void Return(uint frame)
    {
        Invariant.That(frame < _unused, "a frame that comes back was taken");
        if (_freeCount == _free.Length) Array.Resize(ref _free, _free.Length * 2);
        _free[_freeCount++] = frame;
    }

    /// <summary>How many frames behind <paramref name="frame"/>, itself included, lie in one piece of memory.</summary>
    public static int FramesToChunkEnd(uint frame) => FramesPerChunk - (int)(frame & FrameInChunkMask);

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Grow()
    {
        if (_chunkCount == _chunks.Length)
        {
            nint[] larger = new nint[Math.Max(16, _chunks.Length * 2)];
            _chunks.AsSpan(0, _chunkCount).CopyTo(larger);
            _chunks = larger;
        }

        _chunks[_chunkCount] = (nint)NativeMemory.AlignedAlloc((nuint)FramesPerChunk * PageStore.PageSize, PageStore.PageSize);
        _chunkCount++;
    }

    private void Release()
    {
        for (int i = 0; i < _chunkCount; i++) NativeMemory.AlignedFree((void*)_chunks[i]);
        _chunks = [];
        _chunkCount = 0;
        _freeCount = 0;
        _unused = 0;
    }
}
