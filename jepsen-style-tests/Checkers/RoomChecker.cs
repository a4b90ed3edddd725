using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>P11, under load: a node never has more under way than it has room for; it refuses the rest, and so stays alive. O(1).</summary>
public static class RoomChecker
{
    /// <summary>So many requests of a node's users are under way.</summary>
    public static void Requests(NodeId node, int underWay, int room) => Require.That(
        underWay <= room, $"P11: node {node} has {underWay} requests under way, and room for {room}");

    /// <summary>So many lease requests wait on a leader, or reads on a node.</summary>
    public static void Waiting(NodeId node, string what, int waiting, int room) => Require.That(
        waiting <= room, $"P11: {waiting} {what} wait on node {node}, and room is for {room}");

    /// <summary>So many pages has the state, of those above which no new work is taken. What is taken at once may still come on top.</summary>
    public static void State(NodeId node, ShardId shard, long pages, long highWater, long atOnce) => Require.That(
        highWater == 0 || pages <= highWater + atOnce, $"P11: shard {shard} of node {node} has {pages} pages, and no new work is to be taken above {highWater}");

    /// <summary>So many idempotency keys are remembered.</summary>
    public static void Keys(NodeId node, ShardId shard, long keys, long most) => Require.That(
        keys <= most, $"P11: shard {shard} of node {node} remembers {keys} idempotency keys, and may remember {most}");
}
