using System.Text.RegularExpressions;

namespace RaftQueue.Architecture.Tests;

/// <summary>
/// Time, randomness and threads are inputs in the pure rooms. The analyzer holds this at compile time; the scan holds it where
/// the analyzer was switched off or does not know the call.
/// </summary>
public sealed partial class BannedCallTests
{
    internal static readonly string[] PureRooms =
        ["RaftQueue.Consensus", "RaftQueue.Jobs", "RaftQueue.MessagePack", "RaftQueue.Pages", "RaftQueue.Runtime", "RaftQueue.Storage"];

    [Fact]
    public void PureRoomsTouchNoClockRandomnessOrThread() =>
        Assert.Empty(Find(PureRooms, AmbientWorld()));

    [Fact]
    public void PureRoomsDoNotSwitchTheAnalyzerOff() =>
        Assert.Empty(Find(PureRooms, SwitchedOff()));

    [Fact]
    public void ApplyUsesNoFloatingPoint() =>
        Assert.Empty(Find(["RaftQueue.Jobs"], FloatingPoint()));

    [Fact]
    public void NothingInSourceUsesTheSyncCallsThatHideErrors() =>
        Assert.Empty(Find([.. Repository.Rooms], HiddenSyncErrors()));

    /// <summary>A catch that does nothing is right only for a named case, by a filter, with the reason in its place.</summary>
    [Fact]
    public void NothingInSourceSwallowsAnException() =>
        Assert.Empty(Find([.. Repository.Rooms], EmptyCatch(), (code, text) => !code.Contains("when", StringComparison.Ordinal) || !text.Contains("//", StringComparison.Ordinal)));

    [Theory]
    [InlineData("var now = DateTime.UtcNow;")]
    [InlineData("long t = Environment.TickCount64;")]
    [InlineData("var watch = Stopwatch.StartNew();")]
    [InlineData("var id = Guid.NewGuid();")]
    [InlineData("_ = Task.Run(() => { });")]
    [InlineData("await Task.Delay(10);")]
    [InlineData("var timer = new System.Threading.Timer(callback);")]
    [InlineData("using var timer = new PeriodicTimer(period);")]
    [InlineData("new Thread(Run).Start();")]
    [InlineData("Thread.Sleep(1);")]
    [InlineData("int n = Random.Shared.Next();")]
    [InlineData("var r = new Random(1);")]
    [InlineData("source.CancelAfter(10);")]
    [InlineData("using var source = new CancellationTokenSource(patience);")]
    public void TheScanSeesABannedCall(string code) => Assert.Matches(AmbientWorld(), CodeText.WithoutComments(code));

    [Theory]
    [InlineData("// DateTime.UtcNow would be wrong here")]
    [InlineData("throw new X(\"no Task.Run here\");")]
    [InlineData("/* new Random() */ int a = 1;")]
    [InlineData("var x = myDateTime.UtcNowish;")]
    [InlineData("var source = new CancellationTokenSource();")]
    [InlineData("IClock clock = given; long t = clock.MonotonicNanoseconds;")]
    public void TheScanReadsCodeOnly(string code) => Assert.DoesNotMatch(AmbientWorld(), CodeText.WithoutComments(code));

    [Theory]
    [InlineData("catch { }")]
    [InlineData("catch (IOException)\n{\n}")]
    [InlineData("catch (Exception e) when (e is X) { /* ignored */ }")]
    public void TheScanSeesAnEmptyCatch(string code) => Assert.Matches(EmptyCatch(), CodeText.WithoutComments(code));

    private static List<string> Find(string[] rooms, Regex banned, Func<string, string, bool>? isWrong = null)
    {
        var found = new List<string>();
        foreach (string file in Repository.CSharpFiles([.. rooms.Select(room => Path.Combine("src", room))]))
        {
            string text = File.ReadAllText(file);
            string code = CodeText.WithoutComments(text);
            foreach (Match match in banned.Matches(code))
            {
                if (isWrong is not null && !isWrong(match.Value, text.Substring(match.Index, match.Length))) continue;
                int line = 1 + code.AsSpan(0, match.Index).Count('\n');
                found.Add($"{Repository.Relative(file)}:{line}: {match.Value}");
            }
        }

        return found;
    }

    [GeneratedRegex(@"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b|\bEnvironment\.TickCount|\bStopwatch\b|\bTimeProvider\.System\b"
        + @"|\bRandom\.Shared\b|\bnew\s+(System\.)?Random\b|\bRandomNumberGenerator\b|\bGuid\.(NewGuid|CreateVersion7)\b|\bHashCode\."
        + @"|\bTask\.(Run|Delay|Factory)\b|\bnew\s+(System\.)?(Threading\.|Timers\.)?(Timer|PeriodicTimer|Thread)\b"
        + @"|\bThreadPool\b|\bThread\.Sleep\b|\bParallel\.|\.CancelAfter\b|\.AsParallel\b"
        + @"|\bnew\s+(System\.Threading\.)?CancellationTokenSource\(\s*[^)\s]")]
    private static partial Regex AmbientWorld();

    [GeneratedRegex(@"#pragma\s+warning\s+disable[^\n]*RS0030|SuppressMessage[^\n]*RS0030")]
    private static partial Regex SwitchedOff();

    [GeneratedRegex(@"\b(double|float|decimal|Half|Math\.(Pow|Exp|Log|Sqrt|Round))\b")]
    private static partial Regex FloatingPoint();

    [GeneratedRegex(@"\bFlushToDisk\b|\bflushToDisk\s*:|\.Flush\(\s*true")]
    private static partial Regex HiddenSyncErrors();

    [GeneratedRegex(@"\bcatch\b\s*(\([^)]*\))?\s*(when\s*\((?>[^()]+|\((?<depth>)|\)(?<-depth>))*(?(depth)(?!))\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();
}
