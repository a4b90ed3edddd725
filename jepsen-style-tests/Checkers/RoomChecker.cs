using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>P11, under load: a node never has more under way than it has room for; it refuses the rest, and so stays alive. O(1).</summary>
public static class RoomChecker
{
    /// <summary>So many requests of a node's users are under way.</summary>
    public static void Requests(NodeId node, int underWay, int room) => Require.That(
        underWay <= room, $"P11: node {node} has {underWay} requests under way, and room for {room}");
}
