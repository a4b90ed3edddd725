namespace RaftQueue.Server.Hosting;

/// <summary>A wrong or unknown setting. The message is one line: the setting, what it was, what it may be. Exit code 2.</summary>
public sealed class SettingsException : Exception
{
    public SettingsException()
    {
    }

    public SettingsException(string message)
        : base(message)
    {
    }

    public SettingsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
