using System.CommandLine;
using System.Text;
using RaftQueue.Bench;
using RaftQueue.Jobs;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>The load generator.</summary>
internal static class BenchCommand
{
    private const int MostConnections = 1024;
    private const int MostBatch = 1000;
    private const int MostPayload = 1 << 20;
    private const int DefaultSeconds = 10;

    private static readonly Argument<string> Mode = CreateMode();

    private static readonly Option<long?> Jobs = new("--jobs") { Description = "How many jobs, in whole batches.", HelpName = "N" };

    private static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = $"How long to enqueue. Default {DefaultSeconds}, unless --jobs says how many.",
        HelpName = "S",
    };

    private static readonly Option<int> PayloadBytes = new("--payload-bytes")
    {
        Description = "Bytes of a payload's JSON text.",
        HelpName = "N",
        DefaultValueFactory = _ => 100,
    };

    private static readonly Option<string> Queue = new("--queue") { Description = "The queue.", HelpName = "QUEUE", DefaultValueFactory = _ => "bench" };

    private static readonly Option<int> Connections = new("--connections")
    {
        Description = "Connections, each with one request at a time.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int> Batch = new("--batch") { Description = "Jobs in a request.", HelpName = "N", DefaultValueFactory = _ => 1 };

    private static readonly Option<TimeSpan?> DelayOver = new("--delay-over")
    {
        Description = "Draws the delay of each job, enqueued or scheduled again, evenly up to this. Default: none; reschedule 30d.",
        HelpName = "30d",
        CustomParser = Durations.Option,
    };

    private static readonly Option<DateTimeOffset?> RunAt = new("--run-at")
    {
        Description = "enqueue: all jobs are due at this time.",
        HelpName = "2030-01-31T12:00:00Z",
    };

    private static readonly Option<TimeSpan?> PullAhead = new("--pull-ahead")
    {
        Description = "reschedule: takes jobs that are due within this time. Default 365d.",
        HelpName = "365d",
        CustomParser = Durations.Option,
    };

    private static readonly Option<double?> Rate = new("--rate") { Description = "Jobs a second over all connections. Default: as many as possible.", HelpName = "N" };

    private static readonly Option<bool> Any = new("--any") { Description = "Spread the connections over all servers; default is the leader alone." };

    public static Command Build()
    {
        var settings = new ClientSettings();
        var command = new Command("bench", "Puts load on a cluster and measures it.") { Mode, Jobs, Seconds, PayloadBytes, Queue, Connections, Batch, DelayOver, RunAt, PullAhead, Rate, Any };
        settings.AddTo(command);
        command.Add(BenchDiskCommand.Build());
        command.SetAction(parsed =>
        {
            BenchOptions options = Read(parsed, settings);
            using var signals = new StopSignals();
            BenchReport report = new BenchRun(options).Run(signals.Stop);
            if (settings.IsJson(parsed)) JsonLine.Write(report.WriteTo);
            else report.WriteTo(Console.Out);
            return report.IsComplete ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static Argument<string> CreateMode()
    {
        var mode = new Argument<string>("MODE")
        {
            Description = "enqueue: enqueues only. cycle: enqueues, leases and acknowledges until all jobs are through. "
                + "reschedule: leases jobs that wait for their time and schedules them again.",
            DefaultValueFactory = _ => "enqueue",
        };
        mode.AcceptOnlyFromAmong("enqueue", "cycle", "reschedule");
        return mode;
    }

    private static BenchOptions Read(ParseResult parsed, ClientSettings settings)
    {
        string queue = parsed.GetValue(Queue)!;
        if (!QueueName.IsValid(Encoding.UTF8.GetBytes(queue))) throw new UsageException($"--queue is \"{queue}\"; it may be 1 to 128 of A-Z a-z 0-9 . _ : -");
        if (parsed.GetValue(Jobs) < 1) throw new UsageException($"--jobs is {parsed.GetValue(Jobs)}; it may be 1 or more.");
        if (parsed.GetValue(Seconds) is <= 0 or > 86_400) throw new UsageException($"--seconds is {parsed.GetValue(Seconds)}; it may be above 0, to 86400.");
        double? seconds = parsed.GetValue(Seconds) ?? (parsed.GetValue(Jobs) is null ? DefaultSeconds : null);
        if (parsed.GetValue(Rate) is <= 0 or > 1e7) throw new UsageException($"--rate is {parsed.GetValue(Rate)}; it may be above 0, to 10000000.");
        if (parsed.GetValue(RunAt) is not null && parsed.GetValue(DelayOver) is not null) throw new UsageException("--delay-over and --run-at exclude each other.");
        BenchMode mode = Enum.Parse<BenchMode>(parsed.GetValue(Mode)!, ignoreCase: true);
        TimeSpan? delayOver = parsed.GetValue(DelayOver) ?? (mode == BenchMode.Reschedule ? TimeSpan.FromDays(30) : null);
        List<Uri> servers = settings.Servers(parsed);
        if (servers.Find(server => server.Scheme != "http") is { } other) throw new UsageException($"--server is \"{other}\"; bench speaks http only.");
        return new BenchOptions
        {
            Mode = mode,
            Servers = servers,
            Token = settings.Token(parsed),
            Queue = queue,
            Jobs = parsed.GetValue(Jobs),
            Time = seconds is { } time ? TimeSpan.FromSeconds(time) : null,
            PayloadBytes = Within("--payload-bytes", parsed.GetValue(PayloadBytes), 2, MostPayload),
            Connections = Within("--connections", parsed.GetValue(Connections), 1, MostConnections),
            Batch = Within("--batch", parsed.GetValue(Batch), 1, MostBatch),
            DelayOverMs = (long)(delayOver ?? TimeSpan.Zero).TotalMilliseconds,
            RunAt = parsed.GetValue(RunAt),
            PullAheadMs = (long)(parsed.GetValue(PullAhead) ?? TimeSpan.FromDays(365)).TotalMilliseconds,
            Rate = parsed.GetValue(Rate),
            SpreadOverAll = parsed.GetValue(Any),
        };
    }

    private static int Within(string option, int value, int least, int most) => value >= least && value <= most
        ? value
        : throw new UsageException($"{option} is {value}; it may be {least} to {most}.");
}
