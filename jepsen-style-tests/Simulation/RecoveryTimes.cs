namespace RaftQueue.Simulation;

/// <summary>How long it took until all was well again, ms of virtual time from the end of the faults.</summary>
internal sealed class RecoveryTimes
{
    /// <summary>Until a queue took, gave and finished a job through a majority while all else stayed bad; of further queues since the one before.</summary>
    public List<long> MajorityMs { get; } = [];

    /// <summary>Until a job was taken, given and finished after everything had healed.</summary>
    public List<long> FirstAnswerMs { get; } = [];

    /// <summary>Until every node was a voter of every shard and ready.</summary>
    public List<long> WholeMs { get; } = [];

    /// <summary>The middle, what 99 of 100 are not above, and the highest.</summary>
    public static string Spread(IEnumerable<long> values)
    {
        List<long> inOrder = [.. values.Order()];
        return inOrder.Count == 0 ? "none" : $"p50 {At(inOrder, 50)} ms, p99 {At(inOrder, 99)} ms, max {inOrder[^1]} ms of {inOrder.Count}";
    }

    public void Add(RecoveryTimes other)
    {
        MajorityMs.AddRange(other.MajorityMs);
        FirstAnswerMs.AddRange(other.FirstAnswerMs);
        WholeMs.AddRange(other.WholeMs);
    }

    public override string ToString() =>
        $"a majority alone {Spread(MajorityMs)}; all, first job {Spread(FirstAnswerMs)}; all, voters and ready {Spread(WholeMs)}";

    private static long At(List<long> inOrder, int percent) => inOrder[(inOrder.Count - 1) * percent / 100];
}
