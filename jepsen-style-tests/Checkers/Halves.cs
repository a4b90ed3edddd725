using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>Who has to agree: a majority of the voters, and while a membership is joint also one of those on their way out.</summary>
/// <param name="Voters">Nodes in the life in which they are counted.</param>
/// <param name="Outgoing">The other half; empty when the membership is not joint.</param>
public sealed record Halves(IReadOnlyList<(NodeId Id, Incarnation Life)> Voters, IReadOnlyList<(NodeId Id, Incarnation Life)> Outgoing)
{
    /// <summary>Whether enough of both agree.</summary>
    public bool Agree(Func<NodeId, Incarnation, bool> agrees) => IsMajority(Voters, agrees) && (Outgoing.Count == 0 || IsMajority(Outgoing, agrees));

    public override string ToString() => Outgoing.Count == 0 ? $"({Text(Voters)})" : $"({Text(Voters)}; {Text(Outgoing)})";

    private static string Text(IEnumerable<(NodeId Id, Incarnation Life)> half) => string.Join(' ', half.Select(member => $"{member.Id}:{member.Life}"));

    private static bool IsMajority(IReadOnlyList<(NodeId Id, Incarnation Life)> half, Func<NodeId, Incarnation, bool> agrees)
    {
        int count = 0;
        foreach ((NodeId id, Incarnation life) in half)
        {
            if (agrees(id, life)) count++;
        }

        return count > half.Count / 2;
    }
}
