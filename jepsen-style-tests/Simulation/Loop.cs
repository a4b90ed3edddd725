namespace RaftQueue.Simulation;

/// <summary>The loops of a node that faults let stand still, by their names.</summary>
internal static class Loop
{
    public const string Log = "log";
    public const string Segments = "segments";
    public const string Checkpoint = "checkpoint";
    public const string Eviction = "eviction";
    public const string Apply = "apply";

    public static IReadOnlyList<string> All { get; } = [Log, Segments, Checkpoint, Eviction, Apply];
}
