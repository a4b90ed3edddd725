namespace RaftQueue.Pages;

/// <summary>How far a <see cref="FrozenPages"/> is.</summary>
internal enum FrozenState
{
    Open,
    Committed,
    Aborted,
}
