using System.Text;

namespace RaftQueue.Architecture.Tests;

/// <summary>
/// C# source with comments and the insides of string and character literals blanked out, line breaks kept, so that simple
/// searches see code only. Knows ordinary, verbatim, raw and interpolated literals; code inside interpolation holes is blanked too.
/// </summary>
internal static class CodeText
{
    public static string WithoutComments(string source)
    {
        var code = new StringBuilder(source);
        int at = 0;
        while (at < source.Length)
        {
            int end = TokenEnd(source, at);
            if (end == at)
            {
                at++;
                continue;
            }

            for (int i = at; i < end; i++)
            {
                if (code[i] is not ('\n' or '\r')) code[i] = ' ';
            }

            at = end;
        }

        return code.ToString();
    }

    /// <summary>Where the comment or literal that starts here ends; the position itself when none starts here.</summary>
    private static int TokenEnd(string source, int at)
    {
        if (StartsWith(source, at, "//")) return LineEnd(source, at);
        if (StartsWith(source, at, "/*"))
        {
            int close = source.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return close < 0 ? source.Length : close + 2;
        }

        if (source[at] == '\'') return CharacterEnd(source, at);
        if (source[at] is not ('"' or '$' or '@')) return at;
        return LiteralEnd(source, at);
    }

    private static int LiteralEnd(string source, int at)
    {
        int quote = at;
        int dollars = 0;
        bool verbatim = false;
        while (quote < source.Length && source[quote] is '$' or '@')
        {
            if (source[quote] == '$') dollars++;
            else verbatim = true;
            quote++;
        }

        if (quote >= source.Length || source[quote] != '"') return at;
        int quotes = 1;
        while (quote + quotes < source.Length && source[quote + quotes] == '"') quotes++;
        if (quotes >= 3 && !verbatim) return RawEnd(source, quote + quotes, quotes);
        return QuotedEnd(source, quote + 1, verbatim, dollars > 0);
    }

    private static int RawEnd(string source, int at, int quotes)
    {
        int close = source.IndexOf(new string('"', quotes), at, StringComparison.Ordinal);
        if (close < 0) return source.Length;
        close += quotes;
        while (close < source.Length && source[close] == '"') close++;
        return close;
    }

    private static int QuotedEnd(string source, int at, bool verbatim, bool interpolated)
    {
        while (at < source.Length)
        {
            char c = source[at];
            if (c == '"')
            {
                if (!verbatim || at + 1 >= source.Length || source[at + 1] != '"') return at + 1;
                at += 2;
            }
            else if (c == '\\' && !verbatim) at += 2;
            else if (interpolated && c == '{') at = StartsWith(source, at, "{{") ? at + 2 : HoleEnd(source, at + 1);
            else at++;
        }

        return source.Length;
    }

    /// <summary>The end of an interpolation hole, which may hold braces and literals of its own.</summary>
    private static int HoleEnd(string source, int at)
    {
        int depth = 1;
        while (at < source.Length && depth > 0)
        {
            int end = TokenEnd(source, at);
            if (end > at)
            {
                at = end;
                continue;
            }

            if (source[at] == '{') depth++;
            else if (source[at] == '}') depth--;
            at++;
        }

        return at;
    }

    private static int CharacterEnd(string source, int at)
    {
        int i = at + 1;
        while (i < source.Length && source[i] is not ('\'' or '\n')) i += source[i] == '\\' ? 2 : 1;
        return Math.Min(source.Length, i + 1);
    }

    private static int LineEnd(string source, int at)
    {
        int end = source.IndexOf('\n', at);
        return end < 0 ? source.Length : end;
    }

    private static bool StartsWith(string source, int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;
}
