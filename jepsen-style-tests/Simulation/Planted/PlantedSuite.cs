using System.Diagnostics;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// Plants each mistake and runs seeds until the judges catch it; the run that did must pass without it, so that nothing else was
/// seen. Each worker is one thread, and a mistake is planted on one thread.
/// </summary>
internal sealed class PlantedSuite(IReadOnlyList<PlantedCase> cases, int workers, ulong firstSeed)
{
    private const int MostOthers = 5;

    private readonly Lock _gate = new();
    private readonly List<PlantedResult> _results = [];
    private int _next;

    public IReadOnlyList<PlantedResult> Run(Action<PlantedResult> tell)
    {
        List<Thread> threads = [];
        for (int i = 0; i < workers; i++)
        {
            var worker = new Thread(() => Work(tell), CommandLine.StackBytes);
            threads.Add(worker);
            worker.Start();
        }

        foreach (Thread worker in threads) worker.Join();
        return [.. _results.OrderBy(result => result.Case.Number).ThenBy(result => result.Case.Bug)];
    }

    private void Work(Action<PlantedResult> tell)
    {
        while (true)
        {
            int place = Interlocked.Increment(ref _next) - 1;
            if (place >= cases.Count) return;
            PlantedResult result = Hunt(cases[place]);
            lock (_gate)
            {
                _results.Add(result);
                tell(result);
            }
        }
    }

    private PlantedResult Hunt(PlantedCase planted)
    {
        var watch = Stopwatch.StartNew();
        List<string> others = [];
        for (int i = 0; i < planted.Seeds; i++)
        {
            RunCase run = planted.Shape(firstSeed + (ulong)i);
            RunVerdict verdict = RunWith(planted.Bug, run);
            if (planted.In(verdict.Findings) is not { } finding)
            {
                if (verdict.Failed) others.Add(verdict.Headline);
                continue;
            }

            RunVerdict control = RunWith(null, run);
            File.WriteAllText(CaseCommands.PathOf($"planted-{planted.Bug}.json"), run.ToText());
            if (control.Failed) CaseCommands.Report(run, control, CaseCommands.PathOf($"alarm-{planted.Bug}.json"));
            string? alarm = control.Failed ? control.Headline : null;
            return new PlantedResult(planted, finding, verdict.Properties, i + 1, alarm, watch.Elapsed.TotalSeconds);
        }

        // What was seen instead helps whoever wants to know why.
        return new PlantedResult(planted, null, string.Join("; ", others.Distinct().Take(MostOthers)), planted.Seeds, null, watch.Elapsed.TotalSeconds);
    }

    public static RunVerdict RunWith(PlantedBug? bug, RunCase run)
    {
        PlantedBugs.Plant(bug);
        try
        {
            return RunVerdict.Of(run);
        }
        finally
        {
            PlantedBugs.Plant(null);
        }
    }
}
