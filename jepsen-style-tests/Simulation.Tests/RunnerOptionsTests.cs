namespace RaftQueue.Simulation.Tests;

/// <summary>What the command line takes, and what it refuses with which words.</summary>
public sealed class RunnerOptionsTests
{
    [Theory]
    [InlineData("--seeds 0", "--seeds is a whole number from 1 on, not '0'")]
    [InlineData("--seeds -5", "not '-5'")]
    [InlineData("--seeds 1.5", "not '1.5'")]
    [InlineData("--seeds 18446744073709551616", "--seeds is a whole number")]
    [InlineData("--minutes 0", "--minutes is a number above 0, not '0'")]
    [InlineData("--minutes -1", "not '-1'")]
    [InlineData("--minutes soon", "not 'soon'")]
    [InlineData("--property 0", "--property is a whole number from 1 on, not '0'")]
    [InlineData("--property 5 --replay -1", "--replay is a number below 2^63, not '-1'")]
    [InlineData("--property 5 --replay 9223372036854775808", "--replay is a number below 2^63")]
    [InlineData("--seeds 5 --replay 1", "--replay goes with --property")]
    [InlineData("--property 5 --seed 1", "at a time")]
    [InlineData("--fixed 0", "--fixed is a whole number from 1 on")]
    [InlineData("--seeds 5 --workers 0", "--workers is a whole number from 1 to 256")]
    [InlineData("--seeds 5 --workers 4294967297", "--workers is a whole number")]
    [InlineData("--seed -1", "--seed is a seed")]
    [InlineData("--seed x", "--seed is a seed")]
    [InlineData("--seed", "--seed needs a value")]
    [InlineData("--corpus /no/such/file", "--corpus: there is no file '/no/such/file'")]
    [InlineData("--schedule /no/such/file", "--schedule: there is no file")]
    [InlineData("--shrink /no/such/file", "--shrink: there is no file")]
    [InlineData("--nonsense 5", "'--nonsense' is not an option")]
    [InlineData("--seeds 5 more", "'more' is not an option")]
    [InlineData("", "nothing is asked for")]
    [InlineData("--verbose", "nothing is asked for")]
    [InlineData("--seeds 5 --seed 7", "at a time")]
    [InlineData("--seeds 5 --planted", "at a time")]
    [InlineData("--seed 7 --first 1", "--first goes with")]
    [InlineData("--seeds 5 --verbose", "--verbose goes with")]
    [InlineData("--seeds 5 --plain", "--plain goes with")]
    [InlineData("--seeds 5 --bug X", "--bug goes with")]
    public void WhatMakesNoSenseIsRefusedAndSaysWhy(string line, string says)
    {
        Assert.Null(RunnerOptions.Parse(Split(line), out string error));
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatMakesSenseIsTaken()
    {
        string file = Path.GetTempFileName();
        Assert.Equal((5UL, 9UL, 3), Parse("--seeds 5 --first 9 --workers 3") is var many ? (many.Seeds!.Value, many.First!.Value, many.Workers) : default);
        Assert.Equal(0.5, Parse("--minutes 0.5").Minutes);
        Assert.Equal(7UL, Parse("--fixed 7").Fixed);
        Assert.Equal((3UL, 9UL), Parse("--property 3 --replay 9 --seeds 2") is var made ? (made.Property!.Value, made.Replay!.Value) : default);
        Assert.Equal((0UL, true), Parse("--seed 0 --verbose") is var one ? (one.Seed!.Value, one.Verbose) : default);
        Assert.Equal((file, true), Parse($"--schedule {file} --verbose") is var left ? (left.Schedule, left.Verbose) : default);
        Assert.Equal((file, 8UL), Parse($"--seed 8 --schedule {file}") is var other ? (other.Schedule, other.Seed!.Value) : default);
        Assert.Equal("12", Parse("--shrink 12").Shrink);
        Assert.Equal(["A", "B"], Parse("--planted A B --plain").Planted);
        Assert.True(Parse("--planted --plain").Plain);
        Assert.Equal("A", Parse("--bug A --seed 5").Bug);
        File.Delete(file);
    }

    private static RunnerOptions Parse(string line)
    {
        RunnerOptions? options = RunnerOptions.Parse(Split(line), out string error);
        Assert.Equal("", error);
        return options!;
    }

    private static string[] Split(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
