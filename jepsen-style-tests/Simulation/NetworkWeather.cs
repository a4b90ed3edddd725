namespace RaftQueue.Simulation;

/// <summary>How bad the network is all the time, beside what single faults do to it. The default is calm.</summary>
/// <remarks>
/// TCP gives bytes in order or not at all. Loss, doubling and overtaking are done to whole messages before they become bytes,
/// harsher than any connection: consensus must bear all of it. What the runtime forwards relies on its connection, so it is lost
/// or late, but never doubled or overtaken.
/// </remarks>
internal sealed record NetworkWeather
{
    /// <summary>What comes once more comes so much later at most.</summary>
    public const long MaxReplayMs = 3_000;

    /// <summary>Of a hundred messages so many never arrive.</summary>
    public int LossPercent { get; init; }

    /// <summary>Of a hundred consensus messages so many come once more, soon after or up to seconds later.</summary>
    public int ReplayPercent { get; init; }

    /// <summary>Of a hundred consensus messages so many are overtaken by what is sent after them.</summary>
    public int OvertakenPercent { get; init; }

    /// <summary>Of a thousand chunks of bytes so many are late by up to <see cref="LateMs"/>, and whatever follows on their connection with them.</summary>
    public int LatePerMille { get; init; }

    public int LateMs { get; init; }

    /// <summary>Of a hundred chunks of bytes so many arrive in two pieces.</summary>
    public int SplitPercent { get; init; }

    /// <summary>What a path carries; 0 is without bound.</summary>
    public long BytesPerMs { get; init; }

    /// <summary>What a transfer of a checkpoint carries; 0 is as fast as a disk reads.</summary>
    public long TransferBytesPerMs { get; init; }

    /// <summary>By how much a message may be late, or come again.</summary>
    public long MostLate() => (ReplayPercent > 0 ? MaxReplayMs : 0) + (LatePerMille > 0 ? LateMs : 0);

    public override string ToString() =>
        $"loss {LossPercent} %, replay {ReplayPercent} %, overtaken {OvertakenPercent} %, late {LatePerMille} per mille by {LateMs} ms, "
        + $"split {SplitPercent} %, {BytesPerMs} bytes a ms, transfers {TransferBytesPerMs}";
}
