namespace RaftQueue.Transport;

/// <summary>How a dialled connection was answered: one of a handshake that agrees, a refusal, or "there is one already".</summary>
internal readonly record struct HelloAnswer(
    Handshake? Theirs, string? Refusal = null, bool SettingsDiffer = false, bool IsDuplicate = false);
