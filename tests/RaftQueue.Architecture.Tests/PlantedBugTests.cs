using System.Text;

namespace RaftQueue.Architecture.Tests;

/// <summary>The mistakes that the simulation has to catch are in a test build alone: what is shipped holds no trace of them.</summary>
public sealed class PlantedBugTests
{
    private const string Name = "PlantedBug";

    [Theory]
    [MemberData(nameof(ReferenceTests.Rooms), MemberType = typeof(ReferenceTests))]
    public void NoShippedAssemblyNamesThem(string room) => Assert.False(Names(room == "RaftQueue" ? "raftqueue" : room));

    [Fact]
    public void TheSearchFindsThemWhereTheyAre() => Assert.True(Names("RaftQueue.Architecture.Tests"));

    /// <summary>Outside a condition the name would not compile, but a whole file without one would be shipped.</summary>
    [Fact]
    public void SourceNamesThemOnlyUnderTheCondition()
    {
        var outside = new List<string>();
        int conditions = 0;
        foreach (string path in Repository.CSharpFiles("src"))
        {
            bool planted = false;
            foreach (string line in File.ReadLines(path))
            {
                if (line.StartsWith("#if PLANTED_BUGS", StringComparison.Ordinal)) (planted, conditions) = (true, conditions + 1);
                else if (line.StartsWith("#else", StringComparison.Ordinal) || line.StartsWith("#endif", StringComparison.Ordinal)) planted = false;
                else if (!planted && line.Contains(Name, StringComparison.Ordinal)) outside.Add($"{Repository.Relative(path)}: {line.Trim()}");
            }
        }

        Assert.Empty(outside);
        Assert.NotEqual(0, conditions);
    }

    private static bool Names(string assembly)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        return bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Name)) >= 0 || bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(Name)) >= 0;
    }
}
