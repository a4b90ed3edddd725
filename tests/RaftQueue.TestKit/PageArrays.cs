namespace RaftQueue.TestKit;

/// <summary>
/// Arrays of a page's size that are used again by the same thread, from one disk to the next: a run writes tens of thousands, and
/// what lives that long is dear to collect. Their content is whatever it was.
/// </summary>
internal static class PageArrays
{
    private const int MostKept = 16_384;

    [ThreadStatic]
    private static Stack<byte[]>? _spares;

    /// <summary>Shared, never written, never kept by <see cref="Return"/>.</summary>
    public static byte[] Zeros { get; } = new byte[FakeInode.PageBytes];

    public static byte[] Rent() =>
        _spares is not null && _spares.TryPop(out byte[]? spare) ? spare : GC.AllocateUninitializedArray<byte>(FakeInode.PageBytes);

    public static void Return(byte[]? array)
    {
        if (array is null || ReferenceEquals(array, Zeros)) return;
        _spares ??= new Stack<byte[]>();
        if (_spares.Count < MostKept) _spares.Push(array);
    }

    /// <summary>The array, or a copy that may be written when it is <see cref="Zeros"/>.</summary>
    public static byte[] Owned(byte[] array)
    {
        if (!ReferenceEquals(array, Zeros)) return array;
        byte[] copy = Rent();
        copy.AsSpan().Clear();
        return copy;
    }
}
