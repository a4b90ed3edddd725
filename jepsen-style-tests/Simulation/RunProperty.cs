using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.Simulation;

/// <summary>
/// "Nothing breaks" as a property: FsCheck makes plans, loads and fault schedules, and makes those that fail small. Every run is a check
/// of its own with a replay number of its own, so that any one can be made again and all cores have work.
/// </summary>
internal static class RunProperty
{
    private const int MostSize = 60;

    private static readonly Arbitrary<RunCase> Runs = Arb.From(RunGenerator.Runs(), Shrinker.Smaller);

    /// <summary>The run that FsCheck makes of a replay number.</summary>
    public static RunCase Draw(ulong replay)
    {
        RunCase? drawn = null;
        FindFailure(replay, 1, run =>
        {
            drawn = run;
            return RunVerdict.Passed;
        });
        return drawn!;
    }

    /// <summary>
    /// Null when the run of a replay number passes; else that run, made small. It always fails by the same property: other failures that turn
    /// up on the way are left alone.
    /// </summary>
    /// <param name="replay">FsCheck's own seed: the same run for the same number.</param>
    /// <param name="mostRuns">After so many it is small enough.</param>
    /// <param name="judge">Runs one.</param>
    public static PropertyFailure? FindFailure(ulong replay, int mostRuns, Func<RunCase, RunVerdict> judge)
    {
        PropertyFailure? found = null;
        int runs = 0;
        bool Holds(RunCase run)
        {
            if (runs == mostRuns) return true;
            runs++;
            RunVerdict verdict = judge(run);
            if (!verdict.Failed || (found is not null && verdict.Property != found.Verdict.Property)) return true;
            found = new PropertyFailure(found?.First ?? run, run, verdict);
            return false;
        }

        // From few faults to many, as FsCheck does in the course of a check of many runs.
        int size = 1 + (int)(replay % MostSize);
        // The second number is odd by contract, hence the factor.
        Config config = Config.Quick.WithMaxTest(1).WithStartSize(size).WithEndSize(size).WithRunner(Silent.Instance).WithReplay(replay, (2 * replay) + 1);
        Prop.ForAll(Runs, Holds).Check(config);
        return found;
    }

    /// <summary>
    /// Runs the run of a replay number with all judges. A failure is told as it was made, before it is made small, and left in a file that
    /// replays it.
    /// </summary>
    public static SeedOutcome Judge(ulong replay, int mostRuns, Action<string> tell)
    {
        string path = CaseCommands.PathOf($"failure-property-{replay}.json");
        SeedOutcome? outcome = null;
        PropertyFailure? failure = FindFailure(replay, mostRuns, run =>
        {
            using SeedRun prepared = run.Prepare();
            var verdict = RunVerdict.Of(prepared);
            if (outcome is null && verdict.Failed)
            {
                File.WriteAllText(path, run.ToText());
                tell($"FsCheck {replay} fails, see {path}, and is made small: {verdict.Headline}");
            }

            outcome ??= SeedOutcome.Of(run.Seed, prepared) with { IsProperty = true };
            return verdict;
        });
        if (failure is null) return outcome!;
        File.WriteAllText(path, failure.Smallest.ToText());
        return outcome! with { Failure = failure.Told(replay, path) };
    }

    /// <summary>The caller tells what was found.</summary>
    private sealed class Silent : IRunner
    {
        public static readonly Silent Instance = new();

        public void OnStartFixture(Type t)
        {
            // Nothing to tell.
        }

        public void OnArguments(int ntest, Microsoft.FSharp.Collections.FSharpList<object> args, Microsoft.FSharp.Core.FSharpFunc<int, Microsoft.FSharp.Core.FSharpFunc<Microsoft.FSharp.Collections.FSharpList<object>, string>> every)
        {
            // Nothing to tell.
        }

        public void OnShrink(Microsoft.FSharp.Collections.FSharpList<object> args, Microsoft.FSharp.Core.FSharpFunc<Microsoft.FSharp.Collections.FSharpList<object>, string> everyShrink)
        {
            // Nothing to tell.
        }

        public void OnFinished(string name, TestResult testResult)
        {
            // Nothing to tell.
        }
    }
}
