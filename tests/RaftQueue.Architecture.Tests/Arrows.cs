namespace RaftQueue.Architecture.Tests;

/// <summary>The arrows between the rooms: who may reference whom.</summary>
internal static class Arrows
{
    /// <summary>Each room with the rooms that its project file names.</summary>
    public static IReadOnlyDictionary<string, string[]> Direct { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["RaftQueue.Primitives"] = [],
        ["RaftQueue.MessagePack"] = [],
        ["RaftQueue.Consensus"] = ["RaftQueue.Primitives"],
        ["RaftQueue.Pages"] = ["RaftQueue.Primitives"],
        ["RaftQueue.Jobs"] = ["RaftQueue.Pages", "RaftQueue.MessagePack"],
        ["RaftQueue.Storage"] = ["RaftQueue.Consensus"],
        ["RaftQueue.Transport"] = ["RaftQueue.Consensus", "RaftQueue.MessagePack"],
        ["RaftQueue.Runtime"] = ["RaftQueue.Jobs", "RaftQueue.Storage", "RaftQueue.Transport"],
        ["RaftQueue.Server"] = ["RaftQueue.Runtime"],
        ["RaftQueue.Client"] = [],
        ["RaftQueue"] = ["RaftQueue.Server", "RaftQueue.Client"],
    };

    /// <summary>Everything that a room can see: its arrows and theirs.</summary>
    public static HashSet<string> Reachable(string room)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(Direct[room]);
        while (open.TryPop(out string? next))
        {
            if (!seen.Add(next)) continue;
            foreach (string further in Direct[next]) open.Push(further);
        }

        return seen;
    }
}
