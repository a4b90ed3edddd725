using System.Globalization;

namespace RaftQueue.Primitives;

/// <summary>
/// A random number drawn when a data directory is made. A node whose directory was wiped comes back with another
/// one, so that it is never taken for the member that voted and acknowledged before.
/// </summary>
public readonly record struct Incarnation(ulong Value)
{
    /// <summary>Not known yet.</summary>
    public static Incarnation None => default;

    public bool IsNone => Value == 0;

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
