using System.Collections;

namespace RaftQueue.MessagePack.Tests;

/// <summary>A list that is equal to another with equal items.</summary>
public sealed class Seq<T>(T[] items) : IReadOnlyList<T>, IEquatable<Seq<T>>
{
    public int Count => items.Length;

    public T this[int index] => items[index];

    public bool Equals(Seq<T>? other) => other is not null && items.AsSpan().SequenceEqual(other.ToArray());

    public override bool Equals(object? obj) => Equals(obj as Seq<T>);

    public override int GetHashCode() => items.Length;

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"[{string.Join(", ", items)}]";
}
