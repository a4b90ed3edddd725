using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Tests;

/// <summary>The model's back-off, by the interface's page and docs/formats.md.</summary>
public sealed class ModelBackOffTests
{
    [Theory]
    [InlineData(BackoffKind.Exponential, 1, 100)]
    [InlineData(BackoffKind.Exponential, 2, 200)]
    [InlineData(BackoffKind.Exponential, 4, 800)]
    [InlineData(BackoffKind.Exponential, 5, 1_000)]
    [InlineData(BackoffKind.Exponential, 4_000_000_000, 1_000)]
    [InlineData(BackoffKind.Linear, 1, 100)]
    [InlineData(BackoffKind.Linear, 3, 300)]
    [InlineData(BackoffKind.Linear, 10, 1_000)]
    [InlineData(BackoffKind.Linear, 4_000_000_000, 1_000)]
    [InlineData(BackoffKind.Fixed, 1, 100)]
    [InlineData(BackoffKind.Fixed, 99, 100)]
    public void A_delay_grows_up_to_its_maximum(BackoffKind kind, long attempt, long delayMs)
    {
        var policy = new RetryPolicy(kind, 100, 1_000, 0);
        Assert.Equal(delayMs, ModelBackOff.LeastMs(policy, attempt));
        Assert.Equal(delayMs, ModelBackOff.MostMs(policy, attempt));
        Assert.Equal(delayMs, ModelBackOff.DelayMs(policy, 7, attempt));
    }

    [Fact]
    public void Jitter_makes_it_longer_and_never_shorter()
    {
        var policy = new RetryPolicy(BackoffKind.Fixed, 1_000, 2_000, 200_000);
        long[] delays = [.. Enumerable.Range(1, 5_000).Select(sequence => ModelBackOff.DelayMs(policy, (ulong)sequence, 1))];
        Assert.Equal((1_000, 1_200), (delays.Min(), delays.Max()));
        Assert.Equal((1_000, 1_200), (ModelBackOff.LeastMs(policy, 1), ModelBackOff.MostMs(policy, 1)));
        Assert.InRange(delays.Average(), 1_095, 1_105);
        // What docs/formats.md gives as an example.
        Assert.Equal(ExampleMs, ModelBackOff.DelayMs(ModelBackOff.BuiltIn, 1, 1));
    }

    private const long ExampleMs = 5_515;

    [Fact]
    public void Nothing_overflows()
    {
        const long longest = 36_600L * 86_400_000;
        foreach (BackoffKind kind in Enum.GetValues<BackoffKind>())
        {
            var widest = new RetryPolicy(kind, longest, longest, 10_000_000);
            Assert.Equal(longest, ModelBackOff.DelayMs(widest, ulong.MaxValue, uint.MaxValue));
            var none = new RetryPolicy(kind, 0, longest, 10_000_000);
            Assert.Equal(0, ModelBackOff.DelayMs(none, 3, uint.MaxValue));
        }
    }
}
