namespace RaftQueue.Checkers;

/// <summary>All checkers of a history, in the order in which their findings tell most.</summary>
public static class Verdicts
{
    /// <summary>Each throws <see cref="PropertyViolatedException"/> with the first that it finds.</summary>
    public static IReadOnlyList<(string Property, Action<RunRecord> Check)> All { get; } =
    [
        ("P1", LossChecker.Check),
        ("P2", FenceChecker.Check),
        ("P3", AckFinalChecker.Check),
        ("P4", UniqueChecker.Check),
        ("P5", static record => EarlyChecker.Check(record)),
        ("P6", ReadChecker.Check),
        ("P6", ListingChecker.Check),
        ("P8", MonotoneChecker.Check),
        ("P9", IdempotencyChecker.Check),
        ("P10", static record => record.Truth?.RequireSame("P10")),
        ("P11", LivenessChecker.Check),
        ("P11", FinishingChecker.Check),
    ];

    /// <summary>Throws what the first checker finds.</summary>
    public static void Require(RunRecord record)
    {
        foreach ((_, Action<RunRecord> check) in All) check(record);
    }

    /// <summary>What each checker finds: null when its property holds.</summary>
    public static IEnumerable<(string Property, string? Finding)> Of(RunRecord record)
    {
        foreach ((string property, Action<RunRecord> check) in All)
        {
            string? finding = null;
            try
            {
                check(record);
            }
            catch (PropertyViolatedException violated)
            {
                finding = violated.Message;
            }

            yield return (property, finding);
        }
    }
}
