using System.Text.RegularExpressions;

namespace RaftQueue.Architecture.Tests;

/// <summary>
/// Finds the types and the members with a body of a C# file by following braces, without a compiler. It understands the shapes that
/// this code base uses; a member is a method, constructor, operator or indexer, from its signature to its last line.
/// </summary>
internal static partial class MemberScanner
{
    /// <summary>A member with its 1-based first line and its number of lines.</summary>
    public readonly record struct Member(string Name, int Line, int Lines);

    /// <summary>A type declared in a namespace, not inside another type.</summary>
    public readonly record struct TopLevelType(string Name, bool IsPublic);

    public static (List<Member> Members, List<TopLevelType> Types) Scan(string source)
    {
        var members = new List<Member>();
        var types = new List<TopLevelType>();
        string code = DirectiveLine().Replace(CodeText.WithoutComments(source), "");
        Block(code, 0, insideType: false, members, types);
        return (members, types);
    }

    /// <summary>Reads declarations up to the closing brace of this block and returns the position behind it.</summary>
    private static int Block(string code, int at, bool insideType, List<Member> members, List<TopLevelType> types)
    {
        while (at < code.Length)
        {
            while (at < code.Length && char.IsWhiteSpace(code[at])) at++;
            if (at >= code.Length) return at;
            if (code[at] == '}') return at + 1;
            if (code[at] == ';')
            {
                at++;
                continue;
            }

            at = Declaration(code, at, insideType, members, types);
        }

        return at;
    }

    private static int Declaration(string code, int start, bool insideType, List<Member> members, List<TopLevelType> types)
    {
        int stop = HeaderEnd(code, start);
        string header = AttributeList().Replace(code[start..stop], "");
        if (stop >= code.Length || code[stop] == '}') return stop;
        Match type = TypeHeader().Match(header);
        if (type.Success && !insideType) types.Add(new TopLevelType(type.Groups["name"].Value, PublicWord().IsMatch(header)));
        if (code[stop] == ';') return stop + 1;
        if (code[stop] == '{' && (type.Success || header.TrimStart().StartsWith("namespace ", StringComparison.Ordinal)))
        {
            return Block(code, stop + 1, insideType || type.Success, members, types);
        }

        int end = BodyEnd(code, stop);
        Match member = MemberHeader().Match(header);
        if (insideType && member.Success)
        {
            int line = 1 + code.AsSpan(0, start).Count('\n');
            members.Add(new Member(member.Groups["name"].Value, line, 1 + code.AsSpan(start, end - start).Count('\n')));
        }

        return end;
    }

    /// <summary>The end of a declaration's header: a brace, `=&gt;`, `=` or `;` outside of parentheses and brackets.</summary>
    private static int HeaderEnd(string code, int at)
    {
        int depth = 0;
        for (; at < code.Length; at++)
        {
            char c = code[at];
            if (c is '(' or '[') depth++;
            else if (c is ')' or ']') depth--;
            else if (depth == 0 && c is '{' or '}' or ';') return at;
            else if (depth == 0 && c == '=' && !OperatorName().IsMatch(code[Math.Max(0, at - 12)..at])) return at;
        }

        return at;
    }

    /// <summary>The position behind a body in braces, with an initializer after it, or behind an expression and its semicolon.</summary>
    private static int BodyEnd(string code, int at)
    {
        bool braces = code[at] == '{';
        int depth = 0;
        for (; at < code.Length; at++)
        {
            char c = code[at];
            if (c is '{' or '(' or '[') depth++;
            else if (c is '}' or ')' or ']') depth--;
            if (depth == 0 && braces && c == '}') return Initializer(code, at + 1);
            if (depth == 0 && !braces && c == ';') return at + 1;
        }

        return at;
    }

    /// <summary>An auto-property's initializer belongs to it: `{ get; } = value;`.</summary>
    private static int Initializer(string code, int at)
    {
        int next = at;
        while (next < code.Length && char.IsWhiteSpace(code[next])) next++;
        return next < code.Length && code[next] == '=' ? BodyEnd(code, next) : at;
    }

    [GeneratedRegex(@"^[ \t]*#[^\n]*", RegexOptions.Multiline)]
    private static partial Regex DirectiveLine();

    [GeneratedRegex(@"^\s*(\[[^\]]*\]\s*)+")]
    private static partial Regex AttributeList();

    [GeneratedRegex(@"^[^(=]*\b(class|struct|interface|enum|record(\s+(struct|class))?|delegate\s+[\w<>?\[\],. ]+?)\s+(?<name>\w+)")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"\bpublic\b")]
    private static partial Regex PublicWord();

    [GeneratedRegex(@"(?<name>operator\s*[^\s(]+|\b(?!(public|private|protected|internal|static|async|override|virtual|sealed|unsafe|readonly|new"
        + @"|partial|extern|abstract|ref|required)\b)\w[\w.]*)\s*(<[^()]*>)?\s*\(|\b(?<name>this)\s*\[")]
    private static partial Regex MemberHeader();

    [GeneratedRegex(@"operator\s*[=!<>]?$")]
    private static partial Regex OperatorName();
}
