using System.Globalization;

namespace RaftQueue.Primitives;

/// <summary>A Raft term (Raft thesis 3.3). Terms start at 1; zero is before the first election.</summary>
public readonly record struct Term(long Value) : IComparable<Term>
{
    /// <summary>Before the first.</summary>
    public static Term Zero => default;

    /// <summary>The one after this.</summary>
    public Term Next => new(Value + 1);

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;

    public static bool operator >(Term left, Term right) => left.Value > right.Value;

    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;

    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;
}
