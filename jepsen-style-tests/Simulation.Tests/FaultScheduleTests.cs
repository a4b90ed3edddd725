namespace RaftQueue.Simulation.Tests;

public sealed class FaultScheduleTests
{
    [Fact]
    public void AScheduleIsReadBackFromItsText()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            FaultSchedule drawn = Draw(seed);
            Assert.Equal(drawn.Events, FaultSchedule.Parse(drawn.ToString()).Events);
        }
    }

    [Fact]
    public void ASeedAlwaysDrawsTheSameFaultsInTheOrderOfTime()
    {
        FaultSchedule drawn = Draw(7);
        Assert.NotEmpty(drawn.Events);
        Assert.Equal(drawn.Events, Draw(7).Events);
        Assert.Equal(drawn.Events.Select(fault => fault.AtMs).Order(), drawn.Events.Select(fault => fault.AtMs));
    }

    [Fact]
    public void WithoutLeavesOutWhatItIsTold()
    {
        FaultSchedule drawn = Draw(7);
        FaultSchedule rest = drawn.Without(new HashSet<int> { 0, 2 });
        Assert.Equal(drawn.Events.Count - 2, rest.Events.Count);
        Assert.Equal(drawn.Events[1], rest.Events[0]);
        Assert.Equal(drawn.Events[3], rest.Events[1]);
    }

    private static FaultSchedule Draw(ulong seed)
    {
        var streams = new RandomStreams(seed);
        return FaultSchedule.Draw(SeedPlan.Draw(streams), streams);
    }
}
