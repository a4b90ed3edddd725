using System.Globalization;

namespace RaftQueue.Primitives;

/// <summary>A member of the cluster, as configured (1 and up). Zero stands for no node.</summary>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    /// <summary>No node: an empty vote, an unknown leader.</summary>
    public static NodeId None => default;

    public bool IsNone => Value == 0;

    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(NodeId left, NodeId right) => left.Value < right.Value;

    public static bool operator >(NodeId left, NodeId right) => left.Value > right.Value;

    public static bool operator <=(NodeId left, NodeId right) => left.Value <= right.Value;

    public static bool operator >=(NodeId left, NodeId right) => left.Value >= right.Value;
}
