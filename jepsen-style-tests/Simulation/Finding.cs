using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>One thing that is wrong with a run.</summary>
/// <param name="Property">P1 to P11, "invariant" for one that the program itself holds, else the exception's type.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Place">Where in the program.</param>
internal sealed record Finding(string Property, string Message, string Place)
{
    private const string InvariantName = "invariant";

    /// <summary>The property and the whole first line of what was seen.</summary>
    public string Headline
    {
        get
        {
            string first = Message.Split('\n')[0].TrimEnd();
            return first.StartsWith($"{Property}:", StringComparison.Ordinal) ? first : $"{Property}: {first}";
        }
    }

    /// <summary>An invariant that the program states in release builds.</summary>
    public bool IsInvariant => Property == InvariantName;

    /// <summary>A property of the promise or an invariant that the program states: nobody counts a crash as a judge's work.</summary>
    public bool IsNamed => IsInvariant || (Property.Length is 2 or 3 && Property[0] == 'P' && char.IsAsciiDigit(Property[1]));

    /// <summary>What an exception that left the run or a judge says.</summary>
    public static Finding Of(Exception exception)
    {
        for (Exception? at = exception; at is not null; at = at.InnerException)
        {
            if (at is InvariantViolationException) return new Finding(InvariantName, at.Message, $"{exception}");
            if (at is PropertyViolatedException { Property: { Length: > 0 } property }) return new Finding(property, at.Message, $"{exception.StackTrace}");
        }

        return new Finding(exception.GetType().Name, exception.Message, $"{exception}");
    }

    public override string ToString() => $"{Headline}\n{Message}\n{Place}";
}
