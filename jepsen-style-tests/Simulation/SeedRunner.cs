using System.Diagnostics;
using System.Security.Cryptography;

namespace RaftQueue.Simulation;

/// <summary>Runs many seeds, and runs that FsCheck makes, on all cores: each worker is one thread with one cluster at a time.</summary>
internal sealed class SeedRunner(RunnerOptions options, IReadOnlyList<ulong> corpus)
{
    private const int ProgressSeconds = 10;
    private const int MostShrinkingRuns = 400;

    /// <summary>Of the runs of a time one in so many is FsCheck's, whose replay number stands where the seed would.</summary>
    private const ulong PropertyOneIn = 5;

    private readonly Lock _gate = new();
    private readonly RunTotals _totals = new();
    private readonly Queue<ulong> _corpus = new(corpus);
    private readonly Stopwatch _watch = new();
    private ulong _next;
    private ulong _left;
    private ulong _nextReplay;
    private ulong _replaysLeft;

    public int Run()
    {
        if (options.Corpus is { } file) Console.WriteLine($"{corpus.Count} seeds of {file}");
        for (ulong seed = 1; seed <= (options.Fixed ?? 0); seed++) _corpus.Enqueue(seed);
        _left = options.Seeds ?? (options.Minutes is null ? 0 : ulong.MaxValue);
        _next = options.First ?? (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue) * 1_000;
        ulong first = _next;
        if (_left > 0) Console.WriteLine($"{(options.First is null ? "fresh seeds" : "seeds")} from {first} on");
        _replaysLeft = options.Property ?? 0;
        _nextReplay = options.Replay ?? (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue);
        if (_replaysLeft > 0) Console.WriteLine($"runs that FsCheck makes: replay numbers {_nextReplay} to {_nextReplay + _replaysLeft - 1}");
        _watch.Start();
        List<Thread> workers = [];
        for (int i = 0; i < options.Workers; i++)
        {
            var worker = new Thread(Work, CommandLine.StackBytes) { Name = $"worker {i}" };
            workers.Add(worker);
            worker.Start();
        }

        foreach (Thread worker in workers)
        {
            while (!worker.Join(TimeSpan.FromSeconds(ProgressSeconds)))
            {
                lock (_gate) Console.WriteLine(_totals.Progress(_watch.Elapsed));
            }
        }

        if (_next > first) Console.WriteLine($"seeds {first} to {_next - 1}");
        Console.WriteLine(_totals.Summary(_watch.Elapsed, Environment.CpuUsage.TotalTime));
        return _totals.Failed == 0 ? 0 : 1;
    }

    private void Work()
    {
        while (TryTake(out ulong seed, out bool isProperty))
        {
            SeedOutcome outcome = isProperty ? RunProperty.Judge(seed, MostShrinkingRuns, Tell) : SeedOutcome.Of(seed, () => new SeedRun(seed));
            lock (_gate)
            {
                _totals.Add(outcome);
                if (!outcome.Passed) Console.WriteLine(outcome.Failure);
            }
        }
    }

    private void Tell(string line)
    {
        lock (_gate) Console.WriteLine(line);
    }

    /// <summary>The next seed, or the replay number of a run that FsCheck makes.</summary>
    private bool TryTake(out ulong seed, out bool isProperty)
    {
        lock (_gate)
        {
            isProperty = false;
            if (_corpus.TryDequeue(out seed)) return true;
            isProperty = _replaysLeft > 0;
            if (isProperty)
            {
                _replaysLeft--;
                seed = _nextReplay++;
                return true;
            }

            bool isOver = options.Minutes is { } minutes && _watch.Elapsed.TotalMinutes >= minutes;
            if (_left == 0 || isOver) return false;
            _left--;
            seed = _next++;
            isProperty = options.Minutes is not null && seed % PropertyOneIn == 0;
            return true;
        }
    }
}
