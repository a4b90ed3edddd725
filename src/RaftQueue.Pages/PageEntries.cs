using System.Runtime.InteropServices;

namespace RaftQueue.Pages;

/// <summary>
/// One 64-bit word for every page, off the managed heap: where it is and who uses it. From the low end: frame (24 bits),
/// flags (8), the step that touched it last (8), live write pins (12), live read pins (12). Written by the apply loop alone;
/// <see cref="FrozenPages"/> says what the checkpoint loop may read.
/// </summary>
internal sealed unsafe class PageEntries : IDisposable
{
    public const ulong FrameMask = (1UL << 24) - 1;

    /// <summary>The page exists.</summary>
    public const ulong Allocated = 1UL << 24;

    /// <summary>The page is in memory; the frame field is valid.</summary>
    public const ulong Resident = 1UL << 25;

    /// <summary>
    /// Of a page that changed since the last freeze: what it holds stands in the file as well, at its place among the evicted
    /// pages. Of any other page it means nothing.
    /// </summary>
    public const ulong Saved = 1UL << 26;

    /// <summary>In how many steps it was used beyond the first, 0 to 3; the hand that looks for victims counts it down.</summary>
    public const ulong UseMask = 3UL << 27;

    public const ulong UseOne = 1UL << 27;

    /// <summary>
    /// Which <see cref="AheadBatch"/> a copy of the page is being written in; 0 for none. Gone as soon as the page changes.
    /// </summary>
    public const ulong AheadMask = 7UL << AheadShift;

    public const int AheadShift = 29;
    public const int StepShift = 32;
    public const ulong StepMask = 0xFFUL << StepShift;
    public const ulong WritePin = 1UL << 40;
    public const ulong ReadPin = 1UL << 52;
    public const ulong ReadPins = ~(ReadPin - 1);
    public const ulong Pins = ~(WritePin - 1);
    public const ulong WritePins = Pins & ~ReadPins;

    private const uint LargestStep = 1 << 16; // half a MiB of zeros

    ~PageEntries() => NativeMemory.Free(Pointer);

    /// <summary>The first entry.</summary>
    public ulong* Pointer { get; private set; }

    public uint Capacity { get; private set; }

    /// <summary>At least <paramref name="count"/> entries; new ones are zero. Moves <see cref="Pointer"/>.</summary>
    public void Grow(uint count)
    {
        uint capacity = Math.Max(1024, Capacity);
        while (capacity < count) capacity += Math.Min(capacity, LargestStep);
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
