#if !PLANTED_BUGS
using System.Diagnostics;
#else
using RaftQueue.Primitives;
#endif

namespace RaftQueue.Simulation;

/// <summary><c>--planted</c> and <c>--bug</c>: the mistakes are in a build of their own, which this one makes and starts.</summary>
internal static class Planted
{
#if PLANTED_BUGS
    public static int Run(IReadOnlyList<string> bugs, bool plain, int workers)
    {
        foreach (string bug in bugs) Check(bug);
        return plain ? PlainCommand.Run(bugs, workers) : PlantedCommand.Run(bugs, workers);
    }

    /// <summary>Throws <see cref="InputException"/> for what is no mistake.</summary>
    public static void Check(string? bug)
    {
        // Numbers are read as values too.
        if (bug is null || Enum.GetNames<PlantedBug>().Contains(bug, StringComparer.Ordinal)) return;
        throw new InputException($"'{bug}' is not planted; there are: {string.Join(' ', Enum.GetNames<PlantedBug>())}");
    }

    /// <summary>On this thread.</summary>
    public static void Plant(string? bug) => PlantedBugs.Plant(bug is null ? null : Enum.Parse<PlantedBug>(bug));
#else
    public static int Run(IReadOnlyList<string> bugs, bool plain, int workers)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false };
        string[] arguments = ["run", "-c", "Planted", "--project", ProjectDirectory(), "--", "--workers", $"{workers}", "--planted", .. plain ? ["--plain"] : Array.Empty<string>(), .. bugs];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process planted = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started");
        planted.WaitForExit();
        return planted.ExitCode;
    }

    /// <summary>Throws <see cref="InputException"/>: this build has none.</summary>
    public static void Check(string? bug)
    {
        if (bug is not null) throw new InputException("--bug needs the configuration Planted: dotnet run -c Planted ...");
    }

    public static void Plant(string? bug) => Check(bug);

    /// <summary>Above the program's own directory.</summary>
    private static string ProjectDirectory()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (at.EnumerateFiles("RaftQueue.Simulation.csproj").Any()) return at.FullName;
        }

        throw new InputException("the planted build needs the source of the simulation");
    }
#endif
}
