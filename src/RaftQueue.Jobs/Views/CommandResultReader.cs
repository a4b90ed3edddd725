using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Views;

/// <summary>
/// The encoded result of a command, <c>[ code, replayed, index, body ]</c>. <see cref="Body"/> stands at the body, which depends on
/// type and code: Ok of an enqueue of one <see cref="SingleEnqueueView"/>, of a batch an array of <see cref="EnqueueRow"/>;
/// UniqueConflict an array of <see cref="RefusalRow"/>; Ok of a lease an array of <see cref="GrantView"/>; of ack, nack, release and
/// reschedule an array of <see cref="TokenRow"/>, of extend <see cref="ExtendRow"/>; of cancel a <see cref="JobView"/>; of PutQueue
/// <c>[ created, QueueView ]</c>. Else nil.
/// </summary>
public ref struct CommandResultReader
{
    public ResultCode Code;

    /// <summary>An idempotency key's first outcome, not a new one.</summary>
    public bool Replayed;

    /// <summary>Where it took effect; of the first outcome when replayed.</summary>
    public LogIndex Index;
    public MessagePackReader Body;

    public static bool TryRead(ReadOnlySpan<byte> encoded, out CommandResultReader result)
    {
        result = default;
        var reader = new MessagePackReader(encoded);
        if (!reader.TryReadArrayHeader(out int count) || count < 4) return false;
        if (!reader.TryReadInt32(out int code) || !reader.TryReadBool(out result.Replayed)) return false;
        if (!reader.TryReadInt64(out long index)) return false;
        result.Code = (ResultCode)code;
        result.Index = new LogIndex(index);
        result.Body = reader;
        return true;
    }
}
