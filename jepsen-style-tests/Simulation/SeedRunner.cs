using System.Diagnostics;
using System.Security.Cryptography;

namespace RaftQueue.Simulation;

/// <summary>Runs many seeds on all cores: each worker is one thread with one cluster at a time.</summary>
internal sealed class SeedRunner(RunnerOptions options, IReadOnlyList<ulong> corpus)
{
    private const int ProgressSeconds = 10;

    private readonly Lock _gate = new();
    private readonly RunTotals _totals = new();
    private readonly Queue<ulong> _corpus = new(corpus);
    private readonly Stopwatch _watch = new();
    private ulong _next;
    private ulong _left;

    public int Run()
    {
        if (options.Corpus is { } file) Console.WriteLine($"{corpus.Count} seeds of {file}");
        for (ulong seed = 1; seed <= (options.Fixed ?? 0); seed++) _corpus.Enqueue(seed);
        _left = options.Seeds ?? (options.Minutes is null ? 0 : ulong.MaxValue);
        _next = options.First ?? (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue) * 1_000;
        ulong first = _next;
        if (_left > 0) Console.WriteLine($"{(options.First is null ? "fresh seeds" : "seeds")} from {first} on");
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
        while (TryTake(out ulong seed))
        {
            SeedOutcome outcome = SeedOutcome.Of(seed, () => new SeedRun(seed));
            lock (_gate)
            {
                _totals.Add(outcome);
                if (!outcome.Passed) Console.WriteLine(outcome.Failure);
            }
        }
    }

    private bool TryTake(out ulong seed)
    {
        lock (_gate)
        {
            if (_corpus.TryDequeue(out seed)) return true;
            bool isOver = options.Minutes is { } minutes && _watch.Elapsed.TotalMinutes >= minutes;
            if (_left == 0 || isOver) return false;
            _left--;
            seed = _next++;
            return true;
        }
    }
}
