namespace RaftQueue.Pages;

/// <summary>What the holder of a <see cref="PageHandle"/> will do with the page.</summary>
public enum PageIntent
{
    /// <summary>Only reads.</summary>
    Read,

    /// <summary>May change any byte: the page becomes part of the next checkpoint.</summary>
    Write,
}
