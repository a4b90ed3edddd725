using System.Globalization;

namespace RaftQueue.Checkers;

/// <summary>A property that must hold does not. The message names it ("P1: ...").</summary>
public sealed class PropertyViolatedException : Exception
{
    public PropertyViolatedException()
    {
    }

    public PropertyViolatedException(string message)
        : base(message)
    {
    }

    public PropertyViolatedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>P1 to P11: the first one that the message names, wherever it stands in it; empty when it names none.</summary>
    public string Property
    {
        get
        {
            foreach (string word in Message.Split([' ', '\n']))
            {
                bool isName = word.Length is 3 or 4 && word[0] == 'P' && word[^1] == ':'
                    && int.TryParse(word.AsSpan(1, word.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= 11;
                if (isName) return word[..^1];
            }

            return "";
        }
    }
}
