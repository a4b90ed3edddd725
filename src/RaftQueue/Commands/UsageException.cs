namespace RaftQueue.Commands;

/// <summary>The command line asks for something that makes no sense. Its message is the one line that the user sees.</summary>
internal sealed class UsageException(string message) : Exception(message);
