using System.Globalization;

namespace RaftQueue.Primitives;

/// <summary>A position in one shard's log. The first entry has index 1; zero is before it.</summary>
public readonly record struct LogIndex(long Value) : IComparable<LogIndex>
{
    /// <summary>Before the first.</summary>
    public static LogIndex Zero => default;

    /// <summary>The one after this.</summary>
    public LogIndex Next => new(Value + 1);

    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(LogIndex left, LogIndex right) => left.Value < right.Value;

    public static bool operator >(LogIndex left, LogIndex right) => left.Value > right.Value;

    public static bool operator <=(LogIndex left, LogIndex right) => left.Value <= right.Value;

    public static bool operator >=(LogIndex left, LogIndex right) => left.Value >= right.Value;

    /// <summary>The one before this.</summary>
    public LogIndex Previous => new(Value - 1);

    public static LogIndex operator +(LogIndex index, long count) => new(index.Value + count);

    public static LogIndex operator -(LogIndex index, long count) => new(index.Value - count);

    /// <summary>How many entries lie between the two.</summary>
    public static long operator -(LogIndex left, LogIndex right) => left.Value - right.Value;

    public static LogIndex Max(LogIndex left, LogIndex right) => left.Value >= right.Value ? left : right;

    public static LogIndex Min(LogIndex left, LogIndex right) => left.Value <= right.Value ? left : right;
}
