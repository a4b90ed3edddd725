using System.Globalization;

namespace RaftQueue.Pages;

/// <summary>The number of a page, the same on every replica. Zero is no page; page 1 is the root page.</summary>
public readonly record struct PageNumber(uint Value) : IComparable<PageNumber>
{
    /// <summary>No page.</summary>
    public static PageNumber Null => default;

    /// <summary>The page that <see cref="PageStore.Create"/> makes and that is never freed.</summary>
    public static PageNumber Root => new(1);

    /// <summary>Whether this is no page.</summary>
    public bool IsNull => Value == 0;

    public int CompareTo(PageNumber other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(PageNumber left, PageNumber right) => left.Value < right.Value;

    public static bool operator >(PageNumber left, PageNumber right) => left.Value > right.Value;

    public static bool operator <=(PageNumber left, PageNumber right) => left.Value <= right.Value;

    public static bool operator >=(PageNumber left, PageNumber right) => left.Value >= right.Value;
}
