using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// Who takes part in a shard's group: simple, or joint while it changes (Raft thesis 4.3): then an agreement needs a majority of
/// <see cref="Voters"/> and a majority of <see cref="Outgoing"/>. Immutable; each list is ordered by node id; equality is by value.
/// </summary>
public sealed class MembershipRecord : IEquatable<MembershipRecord>
{
    /// <summary>No list is longer.</summary>
    public const int MaxMembers = 31;

    /// <summary>No address is longer, in UTF-8 bytes.</summary>
    public const int MaxAddressBytes = 255;

    private readonly MemberInfo[] _voters;
    private readonly MemberInfo[] _outgoing;
    private readonly MemberInfo[] _learners;

    /// <summary>
    /// Throws <see cref="ArgumentException"/> for lists that cannot be a membership; see <see cref="WhyImpossible"/>.
    /// </summary>
    public MembershipRecord(
        IEnumerable<MemberInfo> voters, IEnumerable<MemberInfo>? learners = null, IEnumerable<MemberInfo>? outgoing = null)
        : this(Ordered(voters), Ordered(learners ?? []), Ordered(outgoing ?? []))
    {
        string? why = WhyImpossible(_voters, _learners, _outgoing);
        if (why is not null) throw new ArgumentException(why, nameof(voters));
    }

    private MembershipRecord(MemberInfo[] voters, MemberInfo[] learners, MemberInfo[] outgoing)
    {
        _voters = voters;
        _learners = learners;
        _outgoing = outgoing;
    }

    /// <summary>The voters, of a joint membership the incoming ones.</summary>
    public IReadOnlyList<MemberInfo> Voters => _voters;

    /// <summary>The former voters while the membership is joint, else empty.</summary>
    public IReadOnlyList<MemberInfo> Outgoing => _outgoing;

    /// <summary>Members that receive the log and are counted nowhere.</summary>
    public IReadOnlyList<MemberInfo> Learners => _learners;

    public bool IsJoint => _outgoing.Length > 0;

    /// <summary>
    /// The member that lives under this id now: a voter, else a learner, else an outgoing voter. An outgoing voter whose id
    /// already belongs to another incarnation is gone for good and is never found.
    /// </summary>
    public MemberInfo? Find(NodeId id) => FindIn(_voters, id) ?? FindIn(_learners, id) ?? FindIn(_outgoing, id);

    /// <summary>Whether this very incarnation of the node is named in any list.</summary>
    public bool Names(NodeId id, Incarnation incarnation) => Find(id)?.Incarnation == incarnation;

    /// <summary>Whether the member found under this id counts in an agreement (of either half).</summary>
    public bool IsVoter(NodeId id)
    {
        if (FindIn(_voters, id) is not null) return true;
        return FindIn(_outgoing, id) is { } outgoing
            && (FindIn(_learners, id) is not { } learner || learner.Incarnation == outgoing.Incarnation);
    }

    /// <summary>Bounded little-endian bytes that <see cref="TryDecode"/> reads.</summary>
    public byte[] Encode() => MembershipCodec.Encode(this);

    /// <summary>False for anything that <see cref="Encode"/> does not write; never throws.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> data, out MembershipRecord? record) => MembershipCodec.TryDecode(data, out record);

    public bool Equals(MembershipRecord? other) =>
        other is not null
        && _voters.AsSpan().SequenceEqual(other._voters)
        && _learners.AsSpan().SequenceEqual(other._learners)
        && _outgoing.AsSpan().SequenceEqual(other._outgoing);

    public override bool Equals(object? obj) => Equals(obj as MembershipRecord);

    public override int GetHashCode()
    {
        int hash = _outgoing.Length;
        foreach (MemberInfo voter in _voters) hash = unchecked((hash * 31) + voter.Id.Value);
        foreach (MemberInfo learner in _learners) hash = unchecked((hash * 31) + learner.Id.Value);
        return hash;
    }

    public override string ToString()
    {
        string voters = string.Join(' ', _voters.Select(Brief));
        string learners = _learners.Length == 0 ? "" : " learners " + string.Join(' ', _learners.Select(Brief));
        string outgoing = _outgoing.Length == 0 ? "" : " outgoing " + string.Join(' ', _outgoing.Select(Brief));
        return $"voters {voters}{learners}{outgoing}";
    }

    /// <summary>Builds a record from lists that are already in order, or returns null when they cannot be a membership.</summary>
    internal static MembershipRecord? FromOrdered(MemberInfo[] voters, MemberInfo[] learners, MemberInfo[] outgoing) =>
        IsOrdered(voters) && IsOrdered(learners) && IsOrdered(outgoing) && WhyImpossible(voters, learners, outgoing) is null
            ? new MembershipRecord(voters, learners, outgoing)
            : null;

    /// <summary>
    /// Null when the lists can be a membership: at least one voter, no id twice in a list, none both voter and learner, the same
    /// incarnation wherever an id stands among the voters of both halves, lengths within the limits.
    /// </summary>
    internal static string? WhyImpossible(MemberInfo[] voters, MemberInfo[] learners, MemberInfo[] outgoing)
    {
        if (voters.Length == 0) return "a membership has at least one voter";
        foreach (MemberInfo[] list in new[] { voters, learners, outgoing })
        {
            if (list.Length > MaxMembers) return "a membership has at most 31 members a list";
            for (int i = 0; i < list.Length; i++)
            {
                if (list[i].Id.Value <= 0) return "a member's id is 1 or more";
                if (list[i].Incarnation.IsNone) return "a member's incarnation is known";
                if (!MembershipCodec.AddressFits(list[i].PeerAddress) || !MembershipCodec.AddressFits(list[i].HttpAddress))
                {
                    return "a member's address is well formed and at most 255 bytes";
                }

                if (i > 0 && list[i].Id == list[i - 1].Id) return "a member stands once in a list";
            }
        }

        if (learners.Any(learner => FindIn(voters, learner.Id) is not null)) return "a learner is not a voter";
        if (outgoing.Any(old => FindIn(voters, old.Id) is { } now && now.Incarnation != old.Incarnation))
        {
            return "a new incarnation joins as a learner first";
        }

        return null;
    }

    private static MemberInfo[] Ordered(IEnumerable<MemberInfo> members) => [.. members.OrderBy(member => member.Id.Value)];

    private static bool IsOrdered(MemberInfo[] members)
    {
        for (int i = 1; i < members.Length; i++)
        {
            if (members[i].Id <= members[i - 1].Id) return false;
        }

        return true;
    }

    private static MemberInfo? FindIn(MemberInfo[] members, NodeId id)
    {
        foreach (MemberInfo member in members)
        {
            if (member.Id == id) return member;
        }

        return null;
    }

    private static string Brief(MemberInfo member) => $"{member.Id}@{member.Incarnation.Value:x}";
}
