using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What both sides of a connection say first. Text is UTF-8 without control characters, at most
/// <see cref="MaxTextBytes"/> bytes a field.
/// </summary>
public sealed partial record Handshake
{
    /// <summary>The protocol that this program speaks.</summary>
    public const ushort CurrentProtocolVersion = 1;

    /// <summary>Bound on each text field.</summary>
    public const int MaxTextBytes = 256;

    public ushort ProtocolVersion { get; init; } = CurrentProtocolVersion;

    public required string ClusterId { get; init; }

    public required int Shards { get; init; }

    public required string Durability { get; init; }

    public required int HeartbeatMs { get; init; }

    public required int ElectionTimeoutMs { get; init; }

    public byte EntryFormat { get; init; } = EntryHeader.CurrentFormat;

    public byte ApplyLevel { get; init; } = EntryHeader.CurrentApplyLevel;

    public byte CheckpointFormat { get; init; } = 1;

    /// <summary>Who speaks.</summary>
    public required NodeId Node { get; init; }

    /// <summary>The incarnation of who speaks.</summary>
    public required Incarnation Incarnation { get; init; }

    /// <summary>Whom the speaker wants to reach.</summary>
    public required NodeId Target { get; init; }

    /// <summary>The incarnation that the speaker takes the other side for, none when not known. Told, not compared.</summary>
    public Incarnation ExpectedTarget { get; init; }

    /// <summary>No membership that the speaker holds names it: a first start, or a wiped node that was not swapped in yet.</summary>
    public bool Blank { get; init; }

    public string HttpAddress { get; init; } = "";

    public string PeerAddress { get; init; } = "";

    /// <summary>
    /// Null when the two may work together, else a sentence that names the first difference as seen from
    /// <paramref name="mine"/>: "ElectionTimeoutMs is 300 here and 500 on node 2".
    /// </summary>
    public static string? Compare(Handshake mine, Handshake theirs)
    {
        NodeId node = theirs.Node;
        return Difference("ClusterId", mine.ClusterId, theirs.ClusterId, node)
            ?? Difference("ProtocolVersion", mine.ProtocolVersion, theirs.ProtocolVersion, node)
            ?? Address(mine, theirs)
            ?? Difference("Shards", mine.Shards, theirs.Shards, node)
            ?? Difference("Durability", mine.Durability, theirs.Durability, node)
            ?? Difference("HeartbeatMs", mine.HeartbeatMs, theirs.HeartbeatMs, node)
            ?? Difference("ElectionTimeoutMs", mine.ElectionTimeoutMs, theirs.ElectionTimeoutMs, node)
            ?? Difference("EntryFormat", mine.EntryFormat, theirs.EntryFormat, node)
            ?? Difference("ApplyLevel", mine.ApplyLevel, theirs.ApplyLevel, node)
            ?? Difference("CheckpointFormat", mine.CheckpointFormat, theirs.CheckpointFormat, node);
    }

    private static string? Difference<T>(string setting, T mine, T theirs, NodeId node)
        where T : IEquatable<T> =>
        mine.Equals(theirs) ? null : $"{setting} is {mine} here and {theirs} on node {node}";

    private static string? Address(Handshake mine, Handshake theirs)
    {
        if (theirs.Node == mine.Node) return $"NodeId is {mine.Node} here and on the other side";
        if (theirs.Node != mine.Target) return $"node {theirs.Node} answers where node {mine.Target} was looked for";
        return theirs.Target == mine.Node ? null : $"node {theirs.Node} looks for node {theirs.Target} where this node {mine.Node} is";
    }
}
