using System.Globalization;

namespace RaftQueue.Scale;

/// <summary>What a run measures, from the command line.</summary>
internal sealed class ScaleOptions
{
    private readonly string[] _arguments;

    public ScaleOptions(string[] arguments)
    {
        _arguments = arguments;
        Program = Path.GetFullPath(arguments[0]);
        Directory = Path.GetFullPath(arguments[1]);
        Jobs = Number("--jobs", 1_000_000);
        FewJobs = Math.Min(Jobs, Number("--few", 100_000));
        BudgetMiB = Number("--budget", 1024);
        Rate = Number("--rate", 10_000);
        Seconds = Number("--seconds", 60);
        SameSecond = Number("--same-second", 1_000_000);
        Port = (int)Number("--port", 8710);
        Samples = Array.IndexOf(arguments, "--samples") >= 0;
    }

    public string Program { get; }

    public string Directory { get; }

    /// <summary>Scheduled jobs in the large cluster.</summary>
    public long Jobs { get; }

    /// <summary>Scheduled jobs in the small one, with which it is compared.</summary>
    public long FewJobs { get; }

    public long BudgetMiB { get; }

    /// <summary>Jobs a second that are leased and scheduled again.</summary>
    public long Rate { get; }

    public long Seconds { get; }

    /// <summary>Jobs that fall due together.</summary>
    public long SameSecond { get; }

    public int Port { get; }

    /// <summary>Whether what the nodes tell of the cluster is kept beside their logs.</summary>
    public bool Samples { get; }

    private long Number(string name, long otherwise) => Array.IndexOf(_arguments, name) is var at and >= 0
        ? long.Parse(_arguments[at + 1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture)
        : otherwise;
}
