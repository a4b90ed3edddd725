namespace RaftQueue.Transport;

/// <summary>Fragmenting and lanes. A message that fits one frame has neither fragment bit.</summary>
[Flags]
public enum FrameFlags : byte
{
    None = 0,

    /// <summary>More fragments of this message follow in this lane.</summary>
    MoreFollows = 1,

    /// <summary>Not the first fragment of its message.</summary>
    Continues = 2,

    /// <summary>Sent in the urgent lane, which overtakes the bulk lane between frames.</summary>
    Urgent = 4,
}
