using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>How a run ended: without a fault of the program, or by which property it failed.</summary>
/// <param name="Property">P1 to P11, "invariant" for one that the program itself holds, else the exception's type; null when all is well.</param>
/// <param name="Message">What exactly, and the place in the program.</param>
/// <param name="Story">Plan, timeline of the last events, state of the nodes, last calls.</param>
internal sealed record RunVerdict(string? Property, string Message, string Story)
{
    public bool Failed => Property is not null;

    /// <summary>Runs it on this thread.</summary>
    public static RunVerdict Of(RunCase run)
    {
        using SeedRun prepared = run.Prepare();
        try
        {
            prepared.Run();
            return new RunVerdict(null, "", "");
        }
        catch (Exception exception)
        {
            return new RunVerdict(PropertyOf(exception), $"{exception.GetType().Name}: {exception.Message}\n{exception.StackTrace}", prepared.Story);
        }
    }

    private static string PropertyOf(Exception exception)
    {
        for (Exception? at = exception; at is not null; at = at.InnerException)
        {
            if (at is InvariantViolationException) return "invariant";
            if (at is PropertyViolatedException && NamedIn(at.Message) is { } property) return property;
        }

        return exception.GetType().Name;
    }

    /// <summary>The first "P1:" to "P11:" of a message, wherever it stands in it.</summary>
    private static string? NamedIn(string message)
    {
        foreach (string word in message.Split([' ', '\n']))
        {
            if (word.Length is 3 or 4 && word[0] == 'P' && word[^1] == ':' && word[1..^1].All(char.IsAsciiDigit)) return word[..^1];
        }

        return null;
    }
}
