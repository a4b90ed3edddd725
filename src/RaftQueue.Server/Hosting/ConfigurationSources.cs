using Microsoft.Extensions.Configuration;

namespace RaftQueue.Server.Hosting;

/// <summary>
/// The usual .NET order: the settings file, then the environment (<c>RaftQueue__NodeId=2</c>), then the command line
/// (<c>--RaftQueue:NodeId=2</c>); a later one wins.
/// </summary>
public static class ConfigurationSources
{
    /// <param name="args"><c>--config FILE</c> and settings; anything else is refused.</param>
    /// <exception cref="SettingsException">The file cannot be read, or an argument makes no sense.</exception>
    public static IConfiguration Build(IReadOnlyList<string> args)
    {
        string? file = null;
        var settings = new List<string>();
        for (int i = 0; i < args.Count; i++)
        {
            string arg = args[i];
            if (arg is "--config")
            {
                file = i + 1 < args.Count ? args[++i] : throw new SettingsException("--config needs the name of a settings file.");
            }
            else if (arg.StartsWith("--config=", StringComparison.Ordinal))
            {
                file = arg["--config=".Length..];
            }
            else if (!arg.StartsWith("--", StringComparison.Ordinal))
            {
                throw new SettingsException($"\"{arg}\" is not a setting; settings look like --RaftQueue:NodeId=2.");
            }
            else
            {
                settings.Add(arg);
                if (arg.Contains('=')) continue;
                if (i + 1 == args.Count || args[i + 1].StartsWith("--", StringComparison.Ordinal))
                {
                    throw new SettingsException($"\"{arg}\" has no value; settings look like --RaftQueue:NodeId=2.");
                }

                settings.Add(args[++i]);
            }
        }

        var builder = new ConfigurationBuilder();
        if (file is not null) builder.AddConfiguration(ReadFile(file));
        IConfiguration commandLine = new ConfigurationBuilder().AddCommandLine([.. settings]).Build();
        SettingsReader.RefuseUnknownSections(commandLine, "the command line");
        return builder.AddEnvironmentVariables().AddConfiguration(commandLine).Build();
    }

    private static IConfigurationRoot ReadFile(string file)
    {
        string path = Path.GetFullPath(file);
        if (!File.Exists(path)) throw new SettingsException($"--config is \"{file}\"; there is no such file.");
        IConfigurationRoot root;
        try
        {
            root = new ConfigurationBuilder().AddJsonFile(path, optional: false, reloadOnChange: false).Build();
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            string why = exception.GetBaseException().Message.ReplaceLineEndings(" ");
            throw new SettingsException($"--config is \"{file}\", which cannot be read as JSON: {why}", exception);
        }

        SettingsReader.RefuseUnknownSections(root, file);
        return root;
    }
}
