using System.Runtime.InteropServices;

namespace RaftQueue.Pages;

/// <summary>
/// One 64-bit word for every page, off the managed heap: where it is and who uses it. From the low end: frame (32 bits),
/// flags (8), live write pins (12), live read pins (12). Used by the apply loop alone.
/// </summary>
internal sealed unsafe class PageEntries : IDisposable
{
    /// <summary>The page exists; the frame field is valid.</summary>
    public const ulong Allocated = 1UL << 32;

    /// <summary>The page, allocated or free, changed since the last freeze and stands in the set of such pages.</summary>
    public const ulong Dirty = 1UL << 33;

    /// <summary>The frame is also read by the checkpoint being written.</summary>
    public const ulong Frozen = 1UL << 34;

    public const ulong WritePin = 1UL << 40;
    public const ulong ReadPin = 1UL << 52;
    public const ulong ReadPins = ~(ReadPin - 1);
    public const ulong Pins = ~(WritePin - 1);
    public const ulong WritePins = Pins & ~ReadPins;

    ~PageEntries() => NativeMemory.Free(Pointer);

    /// <summary>The first entry.</summary>
    public ulong* Pointer { get; private set; }

    public uint Capacity { get; private set; }

    /// <summary>At least <paramref name="count"/> entries; new ones are zero. Moves <see cref="Pointer"/>.</summary>
    public void Grow(uint count)
    {
        uint capacity = Math.Max(1024, Capacity);
        while (capacity < count) capacity = capacity < 1 << 20 ? capacity * 2 : capacity + (1 << 20);
        Pointer = (ulong*)NativeMemory.Realloc(Pointer, (nuint)capacity * sizeof(ulong));
        NativeMemory.Clear(Pointer + Capacity, (nuint)(capacity - Capacity) * sizeof(ulong));
        Capacity = capacity;
    }

    public void Dispose()
    {
        NativeMemory.Free(Pointer);
        Pointer = null;
        Capacity = 0;
        GC.SuppressFinalize(this);
    }
}
