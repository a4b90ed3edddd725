#if PLANTED_BUGS
namespace RaftQueue.Primitives;

/// <summary>Which mistake is in effect on this thread: a simulated cluster runs on one.</summary>
public static class PlantedBugs
{
    [ThreadStatic]
    private static PlantedBug? _planted;

    public static bool Has(PlantedBug bug) => _planted == bug;

    /// <summary>Null plants none.</summary>
    public static void Plant(PlantedBug? bug) => _planted = bug;
}
#endif
