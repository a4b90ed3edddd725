namespace RaftQueue.Simulation;

/// <summary>
/// All faults of a run in the order in which they happen: a value, so that a run can be given any schedule, with events left out or
/// changed. Its text has one event a line.
/// </summary>
internal sealed record FaultSchedule(IReadOnlyList<FaultEvent> Events)
{
    public static FaultSchedule Empty { get; } = new([]);

    /// <summary>What the seed draws for a plan. Every pattern comes from a stream of its own, numbered by its place.</summary>
    public static FaultSchedule Draw(SeedPlan plan, RandomStreams streams) => new FaultDraw(plan, streams).All();

    public static FaultSchedule Parse(string text) =>
        new([.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(FaultEvent.Parse)]);

    /// <summary>The same without the events at these places.</summary>
    public FaultSchedule Without(IReadOnlySet<int> places) => new([.. Events.Where((_, place) => !places.Contains(place))]);

    public override string ToString() => string.Join('\n', Events);
}
