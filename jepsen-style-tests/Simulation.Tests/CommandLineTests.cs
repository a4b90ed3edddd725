using System.Diagnostics;

namespace RaftQueue.Simulation.Tests;

/// <summary>Exit codes and what is said, of the program itself.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("--seeds", "0")]
    [InlineData("--minutes", "0")]
    [InlineData("--schedule", "/no/such/file")]
    [InlineData("--seed", "5", "--bug", "VoteBeforeDurable")]
    public async Task WrongUsageIsTwo(params string[] arguments)
    {
        (int code, _, string error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no run")]
    [InlineData("{}")]
    [InlineData("{\"Seed\": 5}")]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task AFileThatIsNoRunIsWrongUsage(string content)
    {
        await File.WriteAllTextAsync(_file, content);
        (int code, _, string error) = await RunAsync("--schedule", _file);
        Assert.Equal(2, code);
        Assert.Contains($"'{_file}' cannot be used: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("at=5 kind=Nonsense node=n1")]
    [InlineData("at=5 kind=Die")]
    [InlineData("at=5 kind=Die node=n9")]
    [InlineData("at=5 kind=Die node=leader7")]
    [InlineData("at=x kind=Die node=n1")]
    [InlineData("anything")]
    public void AFaultThatIsNoneIsToldWithItsFile(string line)
    {
        File.WriteAllText(_file, line);
        var refused = Assert.Throws<InputException>(() => InputFiles.Schedule(_file, RunCase.Draw(5).Plan));
        Assert.StartsWith($"'{_file}' cannot be used: ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(8, 1, 1)]
    [InlineData(3, 0, 0)]
    [InlineData(3, 1, 3)]
    public void ARunThatCannotBeIsToldWithItsFile(int nodes, int shards, int shardsOfLoad)
    {
        RunCase run = RunCase.Draw(5);
        run = run with { Plan = run.Plan with { Nodes = nodes, Shards = shards }, Workload = run.Workload with { Shards = shardsOfLoad }, Schedule = FaultSchedule.Empty };
        File.WriteAllText(_file, run.ToText());
        Assert.Throws<InputException>(() => InputFiles.Case(_file));
    }

    [Fact]
    public void SeedsOfAFileAreReadWithoutRemarks()
    {
        File.WriteAllText(_file, "# all\n12\n\n  7 # once failed\n");
        Assert.Equal([12UL, 7UL], InputFiles.Seeds(_file));
        File.WriteAllText(_file, "12\nmany\n");
        Assert.Contains("'many' is not a seed", Assert.Throws<InputException>(() => InputFiles.Seeds(_file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARunOfAFileIsReplayedLineByLine()
    {
        RunCase run = RunCase.Draw(5);
        run = RunCase.Draw(5, run.Plan with { DurationMs = 2_000, HealsMajorityFirst = false });
        await File.WriteAllTextAsync(_file, run.ToText());
        (int code, string said, _) = await RunAsync("--schedule", _file, "--verbose");
        Assert.Equal(0, code);
        Assert.Contains(" ms  everything heals", said, StringComparison.Ordinal);
        Assert.EndsWith("passes\n", said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said, string Error)> RunAsync(params string[] arguments)
    {
        string simulation = Path.Combine(AppContext.BaseDirectory, "RaftQueue.Simulation.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])[simulation, .. arguments]) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said, await error);
    }
}
