using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.Simulation;

/// <summary>
/// "Nothing breaks" as a property: FsCheck makes plans, loads and fault schedules, and makes those that fail small.
/// </summary>
internal static class RunProperty
{
    /// <summary>Every run that a seed could draw, and more: any mixture of faults, any load, few or many faults.</summary>
    public static Arbitrary<RunCase> Runs { get; } = Arb.From(Generate(), Shrinker.Smaller);

    /// <summary>
    /// Null when all of <paramref name="runs"/> runs pass; else the first that failed, made small. It always fails by the same property:
    /// other failures that turn up on the way are left alone.
    /// </summary>
    /// <param name="runs">How many.</param>
    /// <param name="replay">FsCheck's own seed: the same runs for the same number.</param>
    /// <param name="judge">Runs one.</param>
    public static (RunCase First, RunCase Smallest, RunVerdict Verdict)? FindFailure(int runs, ulong replay, Func<RunCase, RunVerdict> judge)
    {
        RunCase? first = null;
        RunCase? smallest = null;
        RunVerdict? found = null;
        bool Holds(RunCase run)
        {
            RunVerdict verdict = judge(run);
            if (!verdict.Failed || (found is not null && verdict.Property != found.Property)) return true;
            first ??= run;
            (smallest, found) = (run, verdict);
            return false;
        }

        // Odd by contract, hence the factor.
        Config config = Config.Quick.WithMaxTest(runs).WithRunner(Silent.Instance).WithReplay(replay, (2 * replay) + 1);
        Prop.ForAll(Runs, Holds).Check(config);
        return found is null ? null : (first!, smallest!, found);
    }

    private static Gen<RunCase> Generate() =>
        from seed in Gen.Choose(1, int.MaxValue)
        from nodes in Gen.Elements(3, 3, 5)
        from shards in Gen.Elements(1, 1, 3)
        from seconds in Gen.Choose(4, 25)
        from gapMs in Gen.Choose(100, 3_000)
        from clients in Gen.Choose(1, 7)
        from queues in Gen.Choose(1, 5)
        from thinkMs in Gen.Choose(5, 150)
        from big in Gen.Elements(0, 0, 5, 15)
        from weights in Gen.ArrayOf(Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Choose(1, 9))), Enum.GetValues<FaultPattern>().Length)
        select Make(
            (ulong)seed,
            SeedPlan.Draw(new RandomStreams((ulong)seed)) with
            {
                Nodes = nodes,
                Shards = shards,
                DurationMs = seconds * 1_000L,
                FaultGapMs = gapMs,
                Weights = [.. Enum.GetValues<FaultPattern>().Zip(weights)],
                WrongClocks = [1 + (seed % nodes)],
            },
            new Workload(shards, clients, queues, thinkMs, big));

    private static RunCase Make(ulong seed, SeedPlan plan, Workload workload) =>
        new(seed, plan, workload, FaultSchedule.Draw(plan, new RandomStreams(seed)));

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
