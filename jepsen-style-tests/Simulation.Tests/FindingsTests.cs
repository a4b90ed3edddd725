using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation.Tests;

/// <summary>All that is wrong with a run is told, each by its property and with the whole first line.</summary>
public sealed class FindingsTests
{
    private readonly Findings _findings = new(() => "the story");

    [Theory]
    [InlineData("P2: a job: twice at 5:03\nmore", "P2", "P2: a job: twice at 5:03")]
    [InlineData("not within 20 ms: P11: the nodes run", "P11", "P11: not within 20 ms: P11: the nodes run")]
    [InlineData("P12: is none", "PropertyViolatedException", "PropertyViolatedException: P12: is none")]
    [InlineData("nothing named", "PropertyViolatedException", "PropertyViolatedException: nothing named")]
    public void AFindingIsHeadedByItsPropertyAndItsWholeFirstLine(string message, string property, string headline)
    {
        var finding = Finding.Of(new PropertyViolatedException(message));
        Assert.Equal((property, headline), (finding.Property, finding.Headline));
        Assert.Equal(property.StartsWith('P') && property.Length < 4, finding.IsNamed);
    }

    [Fact]
    public void OnlyPropertiesAndInvariantsAreNamed()
    {
        var broken = Finding.Of(new InvalidOperationException("outer", new InvariantViolationException("Invariant broken: a thing")));
        Assert.True(broken.IsInvariant);
        Assert.Equal("invariant: Invariant broken: a thing", broken.Headline);
        Assert.False(Finding.Of(new InvalidOperationException("P")).IsNamed);
    }

    [Fact]
    public void OneJudgeDoesNotKeepTheOthersFromJudging()
    {
        Assert.False(_findings.Try(() => throw new PropertyViolatedException("P10: first")));
        Assert.True(_findings.Try(() => Assert.Equal("the story", _findings.Story)));
        Assert.False(_findings.Try(() => throw new PropertyViolatedException("P1: second")));
        Assert.False(_findings.Try(() => throw new PropertyViolatedException("P1: second")));
        Assert.Equal(["P10", "P1"], _findings.All.Select(finding => finding.Property));
        var verdict = new RunVerdict(_findings.All, _findings.Story);
        Assert.Equal(("P10", "P10: first", "P10 P1"), (verdict.Property, verdict.Headline, verdict.Properties));
        Assert.StartsWith("P10: first\nP1: second\nthe story\n", verdict.Told(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFewOfEachPropertyAreEnough()
    {
        for (int i = 0; i < 10; i++) _findings.Note(new PropertyViolatedException($"P5: number {i}"));
        Assert.Equal(3, _findings.All.Count);
    }
}
