using System.CommandLine;

namespace RaftQueue.Commands;

/// <summary>A command that is planned and says so instead of being unknown.</summary>
internal static class LaterCommand
{
    public static Command Build(string name)
    {
        var command = new Command(name, "Not available yet.") { Hidden = true, TreatUnmatchedTokensAsErrors = false };
        command.SetAction(int (_) => throw new UsageException($"'{name}' is not available yet."));
        return command;
    }
}
