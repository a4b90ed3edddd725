namespace RaftQueue.Simulation.Tests;

public sealed class WorkloadTests
{
    private const long DurationMs = 20_000;

    [Fact]
    public void ASeedAlwaysDrawsTheSameSteps()
    {
        IReadOnlyList<ClientStep> drawn = Draw(7).Steps(DurationMs, new RandomStreams(7));
        Assert.Equal(drawn, Draw(7).Steps(DurationMs, new RandomStreams(7)));
        Assert.NotEqual(drawn, Draw(7).Steps(DurationMs, new RandomStreams(8)));
        Assert.Equal(drawn.Count, drawn.Select(step => step.Number).Distinct().Count());
    }

    [Fact]
    public void EveryKindOfStepIsDrawn()
    {
        Workload workload = Draw(7) with { Burst = Burst.Draw(new RandomStreams(7).Open("burst")) };
        IEnumerable<StepKind> drawn = workload.Steps(600_000, new RandomStreams(7)).Select(step => step.Kind).Distinct();
        Assert.Equal(Enum.GetValues<StepKind>().Order(), drawn.Order());
    }

    [Fact]
    public void WhatIsLeftOutChangesNoOtherStep()
    {
        Workload drawn = Draw(7);
        IReadOnlyList<ClientStep> all = drawn.Steps(DurationMs, new RandomStreams(7));
        int[] out2 = [all[0].Number, all[2].Number];
        Assert.Equal(
            all.Where(step => !out2.Contains(step.Number)),
            (drawn with { LeftOut = out2 }).Steps(DurationMs, new RandomStreams(7)));
    }

    private static Workload Draw(ulong seed)
    {
        var streams = new RandomStreams(seed);
        return SeedPlan.Draw(streams).DrawWorkload(streams);
    }
}
