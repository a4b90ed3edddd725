using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Canary;

/// <summary>Writes a file, as the program opens its own, and syncs it twice; says of each sync how it went. 0 when both went alike.</summary>
internal static class TwoSyncs
{
    public static int Run(string directory)
    {
        Directory.CreateDirectory(directory);
        using IDiskFile file = LatchedFile.Open(new LinuxDisk(), Path.Combine(directory, "shared"), create: true);
        file.WriteAt(0, new byte[4096]);
        string first = Sync(file);
        string second = Sync(file);
        Console.WriteLine($"{first}, then {second}");
        return first == second ? 0 : 3;
    }

    private static string Sync(IDiskFile file)
    {
        try
        {
            file.DataSync();
            return "synced";
        }
        catch (DiskException failure)
        {
            return $"{failure.Call} {failure.Errno}";
        }
    }
}
