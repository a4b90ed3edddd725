using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>An entry named by term and index. By the log matching property (Raft thesis 3.5) it names all entries before it too.</summary>
internal readonly record struct LogPosition(Term Term, LogIndex Index)
{
    public bool IsZero => Index == LogIndex.Zero && Term == Term.Zero;

    /// <summary>Whether a log that ends here is at least as up to date as one that ends at <paramref name="other"/> (Raft thesis 3.6.1).</summary>
    public bool IsUpToDateWith(LogPosition other) =>
        Term > other.Term || (Term == other.Term && Index >= other.Index);

    public override string ToString() => $"{Index} of term {Term}";
}
