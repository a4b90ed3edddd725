using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RaftQueue.Checkers;

/// <summary>What a checker demands.</summary>
public static class Require
{
    /// <summary>Throws <see cref="PropertyViolatedException"/> unless the condition holds; the text is made only then.</summary>
    public static void That(
        [DoesNotReturnIf(false)] bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref RequirementText text)
    {
        if (!holds) throw new PropertyViolatedException(text.ToString());
    }

    public static void That([DoesNotReturnIf(false)] bool holds, string text)
    {
        if (!holds) throw new PropertyViolatedException(text);
    }

    /// <summary>What a client received can be read: the message is the condition itself.</summary>
    public static void Readable([DoesNotReturnIf(false)] bool holds, [CallerArgumentExpression(nameof(holds))] string condition = "")
    {
        if (!holds) throw new PropertyViolatedException($"P10: an answer can be read: {condition}");
    }
}
