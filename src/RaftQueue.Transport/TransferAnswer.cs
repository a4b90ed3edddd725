using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>What <see cref="ITransferStream.ReadAsync"/> gave: pages, or the word that the checkpoint is gone, or a break.</summary>
/// <param name="Names">What was asked for.</param>
/// <param name="Found">For each name whether the sender has it.</param>
/// <param name="Contents">What was found, one behind the other.</param>
/// <param name="IsGone">The sender does not keep this checkpoint any more.</param>
/// <param name="Broken">Why the connection broke; null when it did not.</param>
public sealed record TransferAnswer(
    IReadOnlyList<PageName> Names, IReadOnlyList<bool> Found, ReadOnlyMemory<byte> Contents, bool IsGone, string? Broken)
{
    public static TransferAnswer Gone { get; } = new([], [], default, IsGone: true, null);

    public static TransferAnswer Break(string reason) => new([], [], default, IsGone: false, reason);
}
