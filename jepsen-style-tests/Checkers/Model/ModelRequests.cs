using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Model;

/// <summary>Which request numbers were applied: of each origin the highest and, exactly, those up to 65,536 below it.</summary>
public sealed class ModelRequests
{
    private const ulong Window = 65_536;

    private readonly Dictionary<Incarnation, (ulong Highest, HashSet<ulong> Applied)> _origins = [];

    /// <summary>False when the number counts as applied before.</summary>
    public bool TryMark(Incarnation origin, ulong number)
    {
        if (!_origins.TryGetValue(origin, out (ulong Highest, HashSet<ulong> Applied) known)) known = (0, []);
        if (number <= known.Highest && known.Highest - number >= Window) return false;
        if (!known.Applied.Add(number)) return false;
        _origins[origin] = (Math.Max(known.Highest, number), known.Applied);
        return true;
    }
}
