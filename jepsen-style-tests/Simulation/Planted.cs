#if !PLANTED_BUGS
using System.Diagnostics;
#endif

namespace RaftQueue.Simulation;

/// <summary><c>--planted</c>: the mistakes are in a build of their own, which this one makes and starts.</summary>
internal static class Planted
{
    public static int Run(string[] names)
    {
#if PLANTED_BUGS
        return PlantedCommand.Run(names);
#else
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false };
        string[] arguments = ["run", "-c", "Planted", "--project", ProjectDirectory(), "--", "--planted", .. names];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process planted = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started");
        planted.WaitForExit();
        return planted.ExitCode;
#endif
    }

#if !PLANTED_BUGS
    /// <summary>Above the program's own directory.</summary>
    private static string ProjectDirectory()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (at.EnumerateFiles("RaftQueue.Simulation.csproj").Any()) return at.FullName;
        }

        throw new InvalidOperationException("the planted build needs the source of the simulation");
    }
#endif
}
