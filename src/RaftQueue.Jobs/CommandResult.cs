using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// The outcome of one command of this node: the encoded result (see <see cref="Views.CommandResultReader"/>) is
/// <see cref="Length"/> bytes at <see cref="Offset"/> of <see cref="ApplyOutput.Buffer"/>. <see cref="Index"/> is the entry's own.
/// <see cref="Keyed"/>: its caller can ask for it again under an idempotency key.
/// </summary>
public readonly record struct CommandResult(
    CommandType Type,
    ulong RequestNumber,
    ResultCode Code,
    LogIndex Index,
    int Offset,
    int Length,
    bool Keyed);
