using RaftQueue.Processes;
using static System.Diagnostics.Stopwatch;

namespace RaftQueue.Failover;

/// <summary>The leader goes away, by kill -9 or asked to stop, while enqueues are sent to the two others; then it comes back.</summary>
internal sealed class Trials(Cluster cluster, Verdict verdict, string queue)
{
    private static readonly TimeSpan LeadIn = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LeadOut = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Every job whose enqueue was confirmed.</summary>
    public HashSet<string> Confirmed { get; } = new(StringComparer.Ordinal);

    public void Run(string name, int signal, int trials)
    {
        var next = new List<double>();
        var both = new List<double>();
        var gap = new List<double>();
        var end = new List<double>();
        var ready = new List<double>();
        int refused = 0;
        int unknown = 0;
        for (int trial = 1; trial <= trials; trial++)
        {
            ClusterNode leader = cluster.WaitUntilEven();
            Writer[] writers = [.. cluster.All.Where(node => node != leader).Select(node => new Writer(node, queue))];
            Thread.Sleep(LeadIn);
            long gone = GetTimestamp();
            leader.Send(signal);
            int code = leader.WaitForEnd();
            end.Add(GetElapsedTime(gone).TotalMilliseconds);
            if (signal != Signals.Kill) verdict.Check($"{name} {trial}: the node exits with 0, not {code}", code == 0);
            bool confirmed = WaitForBoth(writers, gone);
            verdict.Check($"{name} {trial}: both survivors confirm an enqueue within {Patience.TotalSeconds} s", confirmed);
            Thread.Sleep(LeadOut);
            Confirmation[] all = [.. writers.SelectMany(writer => writer.Stop()).OrderBy(confirmation => confirmation.Answered)];
            foreach (Confirmation confirmation in all) Confirmed.Add(confirmation.Job);
            if (confirmed)
            {
                long[] firsts = [.. writers.Select(writer => writer.FirstSentAfter(gone)!.Value.Answered)];
                next.Add(GetElapsedTime(gone, firsts.Min()).TotalMilliseconds);
                both.Add(GetElapsedTime(gone, firsts.Max()).TotalMilliseconds);
                gap.Add(LongestGap(all, gone));
            }

            refused += writers.Sum(writer => writer.Refused);
            unknown += writers.Sum(writer => writer.Unknown);
            foreach (Writer writer in writers) writer.Dispose();
            ready.Add(Cluster.Start(leader).TotalMilliseconds);
            Console.Error.WriteLine(
                $"{name} {trial}: next confirmed after {next.LastOrDefault():0} ms, longest gap {gap.LastOrDefault():0} ms, back after {ready[^1]:0} ms");
        }

        Console.WriteLine($"{name}, {trials} trials");
        Figures("  until the next confirmed enqueue", next);
        Figures("  until both survivors confirmed one", both);
        Figures("  longest time without a confirmation", gap);
        if (signal != Signals.Kill) Figures("  until the process ended", end);
        Figures("  restarted, start to ready", ready);
        Console.WriteLine($"  enqueues refused {refused:N0}, outcome unknown {unknown:N0}, confirmed so far {Confirmed.Count:N0}");
    }

    private static bool WaitForBoth(Writer[] writers, long moment)
    {
        while (GetElapsedTime(moment) < Patience)
        {
            if (Array.TrueForAll(writers, writer => writer.FirstSentAfter(moment) is not null)) return true;
            Thread.Sleep(1);
        }

        return false;
    }

    /// <summary>The longest time without an answer that confirms, at either node, from just before the signal; in milliseconds.</summary>
    private static double LongestGap(Confirmation[] ordered, long signalled)
    {
        double longest = 0;
        for (int i = 1; i < ordered.Length; i++)
        {
            if (ordered[i].Answered < signalled) continue;
            longest = Math.Max(longest, GetElapsedTime(Math.Max(ordered[i - 1].Answered, signalled), ordered[i].Answered).TotalMilliseconds);
        }

        return longest;
    }

    private static void Figures(string name, List<double> milliseconds)
    {
        if (milliseconds.Count == 0) return;
        milliseconds.Sort();
        Console.WriteLine($"{name,-38} p50 {milliseconds[(milliseconds.Count - 1) / 2],7:0.0} ms   max {milliseconds[^1],7:0.0} ms");
    }
}
