using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Bounds of a transfer.</summary>
public static class TransferLimits
{
    /// <summary>Bound on <see cref="ITransferReader.InfoBytes"/>.</summary>
    public const int MaxInfoBytes = 64 * 1024;

    /// <summary>Pages and nodes in one question; the answer stays under 64 KiB, which is no large object.</summary>
    public const int MaxNames = 15;

    /// <summary>Bytes of pages and nodes in one answer at most.</summary>
    public const int MaxContentBytes = MaxNames * PageName.PageBytes;

    /// <summary>Questions on their way at once: what may be under way is bounded to a mebibyte.</summary>
    public const int MaxUnanswered = 16;
}
