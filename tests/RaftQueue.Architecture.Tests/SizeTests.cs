namespace RaftQueue.Architecture.Tests;

/// <summary>Files, methods and the number of types a file stay small enough to read.</summary>
public sealed class SizeTests
{
    private const int MostLinesOfAFile = 600;
    private const int MostLinesOfAMethod = 70;

    private static readonly string[] Everywhere = ["src", "tests", "jepsen-style-tests"];

    [Fact]
    public void FilesAreShort() =>
        Assert.Empty(Repository.CSharpFiles(Everywhere)
            .Select(file => (File: Repository.Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(found => found.Lines > MostLinesOfAFile)
            .Select(found => $"{found.File}: {found.Lines} lines"));

    [Fact]
    public void MethodsAreShort() =>
        Assert.Empty(Repository.CSharpFiles(Everywhere)
            .SelectMany(file => MemberScanner.Scan(File.ReadAllText(file)).Members.Select(member => (File: Repository.Relative(file), Member: member)))
            .Where(found => found.Member.Lines > MostLinesOfAMethod)
            .Select(found => $"{found.File}:{found.Member.Line}: {found.Member.Name} has {found.Member.Lines} lines"));

    [Fact]
    public void AFileHoldsOnePublicType() =>
        Assert.Empty(Repository.CSharpFiles("src")
            .Select(file => (File: Repository.Relative(file), Types: MemberScanner.Scan(File.ReadAllText(file)).Types.Where(type => type.IsPublic).ToList()))
            .Where(found => found.Types.Count > 1)
            .Select(found => $"{found.File}: {string.Join(", ", found.Types.Select(type => type.Name))}"));

    [Fact]
    public void EverySourceFileIsRead() =>
        Assert.All(
            Repository.Rooms.Where(room => Repository.CSharpFiles(Path.Combine("src", room)).Count > 1),
            room => Assert.NotEmpty(Repository.CSharpFiles(Path.Combine("src", room)).SelectMany(file => MemberScanner.Scan(File.ReadAllText(file)).Types)));
}
