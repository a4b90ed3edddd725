namespace RaftQueue.Jobs.Structures;

/// <summary>The cell sizes of <see cref="BlobStore"/>. They are part of the state's format.</summary>
internal static class BlobClasses
{
    /// <summary>The longest blob that lies in a cell.</summary>
    public const int MaxCell = 2032;

    private const int Step = 8;

    private static readonly CellPage[] Layouts = MakeLayouts();
    private static readonly byte[] OfSteps = MakeMap();

    /// <summary>Number of classes.</summary>
    public static int Count => Layouts.Length;

    /// <summary>The smallest class whose cells hold the length, which is at most <see cref="MaxCell"/>.</summary>
    public static int Of(int length) => OfSteps[(length + Step - 1) / Step];

    public static CellPage Layout(int sizeClass) => Layouts[sizeClass];

    private static CellPage[] MakeLayouts()
    {
        int[] large = [288, 312, 336, 368, 400, 448, 504, 576, 672, 808, 1016, 1352, MaxCell];
        var layouts = new List<CellPage>();
        for (int size = 16; size <= 256; size += Step) layouts.Add(new CellPage(size));
        foreach (int size in large) layouts.Add(new CellPage(size));
        return [.. layouts];
    }

    private static byte[] MakeMap()
    {
        var map = new byte[MaxCell / Step + 1];
        byte sizeClass = 0;
        for (int i = 0; i < map.Length; i++)
        {
            if (i * Step > Layouts[sizeClass].CellSize) sizeClass++;
            map[i] = sizeClass;
        }

        return map;
    }
}
