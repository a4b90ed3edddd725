namespace RaftQueue.Jobs;

/// <summary>A queue's settings, parsed. Null: not set, the built-in default counts.</summary>
public sealed class QueueSettings
{
}
