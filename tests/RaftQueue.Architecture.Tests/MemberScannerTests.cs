namespace RaftQueue.Architecture.Tests;

/// <summary>The scanner sees what it must see before anything is judged by it.</summary>
public sealed class MemberScannerTests
{
    private const string Source = """""
        using System;

        namespace Sample;

        /// <summary>A comment with { an open brace.</summary>
        [Obsolete("text with ; and {")]
        public sealed class Shape<T>(int size) : IDisposable
            where T : class
        {
            private readonly int[] _table =
            [
                1,
                2,
            ];

            private static readonly Func<int, int> Twice = x =>
            {
                return x * 2;
            };

            public int Size { get; } = size;

            public string Text => $"{{ {size switch { 1 => "one{", _ => "many}" }} }}";

            public Shape(string text)
                : this(text.Length)
            {
                char brace = '{';
                string raw = $$"""
                  { "a": {{brace}} }
                  """;
            }

            public static bool operator ==(Shape<T> a, Shape<T> b) => true;

            public T this[int index]
            {
                get => throw new InvalidOperationException("}");
            }

            [Obsolete]
            public int Long(
                int first,
                int second)
            {
                if (first > second)
                {
                    return first;
                }

                int Local() => 3;
                return Local();
            }

            public void Dispose() { }

            private sealed record Inner(int A)
            {
                public int Sum() =>
                    A
                    + A;
            }
        }

        internal enum Kind { One, Two }

        public readonly record struct Point(int X, int Y);

        public delegate bool Check<T>(T value, int[] more);
        """"";

    [Fact]
    public void FindsTheMembersWithTheirLengths()
    {
        var lengths = MemberScanner.Scan(Source).Members.Select(member => (member.Name, member.Lines)).ToList();
        Assert.Contains(("Shape", 8), lengths);
        Assert.Contains(("Long", 13), lengths);
        Assert.Contains(("this", 4), lengths);
        Assert.Contains(("Dispose", 1), lengths);
        Assert.Contains(("Sum", 3), lengths);
        Assert.Contains(("operator ==", 1), lengths);
        Assert.Equal(6, lengths.Count);
    }

    [Fact]
    public void FindsTheTypesOfTheNamespace()
    {
        var types = MemberScanner.Scan(Source).Types;
        Assert.Equal(
            [new("Shape", true), new("Kind", false), new("Point", true), new("Check", true)],
            types);
    }

    [Fact]
    public void GivesTheLineOfTheSignature()
    {
        MemberScanner.Member member = MemberScanner.Scan(Source).Members.Single(found => found.Name == "Long");
        string[] lines = Source.Split('\n');
        Assert.Contains("[Obsolete]", lines[member.Line - 1], StringComparison.Ordinal);
        Assert.Equal("    }", lines[member.Line + member.Lines - 2]);
    }

    [Fact]
    public void ReadsThisVeryProject()
    {
        string file = Path.Combine(Repository.Root, "tests", "RaftQueue.Architecture.Tests", "MemberScanner.cs");
        var (members, types) = MemberScanner.Scan(File.ReadAllText(file));
        Assert.Equal("MemberScanner", Assert.Single(types).Name);
        foreach (string name in new[] { "Scan", "Block", "Declaration", "HeaderEnd", "BodyEnd", "Initializer" })
        {
            Assert.Contains(members, member => member.Name == name);
        }
    }
}
