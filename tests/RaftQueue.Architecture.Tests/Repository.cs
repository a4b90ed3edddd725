namespace RaftQueue.Architecture.Tests;

/// <summary>The working tree that the tests read: found by walking up from the test assembly to RaftQueue.sln.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Source => Path.Combine(Root, "src");

    /// <summary>Names of the rooms under src, sorted.</summary>
    public static IReadOnlyList<string> Rooms { get; } =
        [.. Directory.GetDirectories(Source).Select(directory => Path.GetFileName(directory)!).Order(StringComparer.Ordinal)];

    /// <summary>The C# files under a directory of the repository, without build output.</summary>
    public static IReadOnlyList<string> CSharpFiles(params string[] directories) =>
        [.. directories
            .Select(directory => Path.Combine(Root, directory))
            .Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories))
            .Where(file => !IsBuildOutput(file))
            .Order(StringComparer.Ordinal)];

    public static string Relative(string file) => Path.GetRelativePath(Root, file);

    private static bool IsBuildOutput(string file)
    {
        string[] parts = Relative(file).Split(Path.DirectorySeparatorChar);
        return parts.Contains("bin", StringComparer.Ordinal) || parts.Contains("obj", StringComparer.Ordinal);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "RaftQueue.sln"))) return directory.FullName;
        }

        throw new InvalidOperationException($"No RaftQueue.sln above {AppContext.BaseDirectory}.");
    }
}
