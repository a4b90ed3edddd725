using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RaftQueue.Primitives;

/// <summary>Assertions that stay in release builds: a node that is wrong about itself must stop rather than answer.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantViolationException"/> unless <paramref name="condition"/> holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        string meaning,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        if (!condition) Broken(meaning, file, line);
    }

    /// <summary>A place that cannot be reached.</summary>
    [DoesNotReturn]
    public static void Broken(string meaning, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        throw new InvariantViolationException($"Invariant broken: {meaning} ({Path.GetFileName(file)}:{line})");
}
