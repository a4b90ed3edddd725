namespace RaftQueue.Runtime;

/// <summary>What is known of a command: never more, never less.</summary>
public enum OutcomeKind
{
    /// <summary>It was applied; the result says what came of it.</summary>
    Applied,

    /// <summary>It was not applied and never will be.</summary>
    NotApplied,

    /// <summary>It may have been applied or may still be.</summary>
    Unknown,
}
