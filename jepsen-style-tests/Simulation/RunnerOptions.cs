using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What the command line asks for.</summary>
internal sealed record RunnerOptions
{
    public const string Usage = """
        usage: dotnet run -c Release --project jepsen-style-tests/Simulation -- WHAT [OPTION...]
          --minutes N                 fresh seeds for so long
          --seeds N [--first SEED]    so many seeds, one after the other (fresh ones without --first)
          --corpus FILE               the seeds of a file, one a line, # begins a remark
          --fixed N                   seeds 1 to N; this and --corpus go first when given together with --seeds or --minutes
          --seed SEED [--verbose] [--schedule FILE]
                                      one seed again, with all that happens, with these faults instead of the drawn ones
          --shrink SEED or FILE       a failing run made as small as it still fails
          --schedule FILE             alone: the whole run that a failure left in a file
          --planted [BUG...]          which planted mistakes are caught
        options:
          --workers N                 threads, each with a cluster of its own; as many as there are cores
        exit code: 0 all passed, 1 something failed, 2 wrong usage
        """;

    public double? Minutes { get; init; }

    public long? Seeds { get; init; }

    public ulong? First { get; init; }

    public string? Corpus { get; init; }

    public ulong Fixed { get; init; }

    public ulong? Seed { get; init; }

    public bool Verbose { get; init; }

    public string? Schedule { get; init; }

    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Null when the arguments make no sense.</summary>
    public static RunnerOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = new RunnerOptions();
        for (int at = 0; at < arguments.Count; at++)
        {
            if (arguments[at] == "--verbose")
            {
                options = options with { Verbose = true };
                continue;
            }

            if (at + 1 == arguments.Count || options.With(arguments[at], arguments[++at]) is not { } more) return null;
            options = more;
        }

        bool one = options.Seed is not null;
        bool many = options.Minutes is not null || options.Seeds is not null || options.Corpus is not null || options.Fixed > 0;
        return one != many && options.Workers > 0 ? options : null;
    }

    private RunnerOptions? With(string name, string value)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        bool isNumber = ulong.TryParse(value, NumberStyles.None, culture, out ulong number);
        return name switch
        {
            "--minutes" when double.TryParse(value, NumberStyles.AllowDecimalPoint, culture, out double minutes) => this with { Minutes = minutes },
            "--seeds" when isNumber => this with { Seeds = (long)number },
            "--first" when isNumber => this with { First = number },
            "--fixed" when isNumber => this with { Fixed = number },
            "--seed" when isNumber => this with { Seed = number },
            "--workers" when isNumber => this with { Workers = (int)number },
            "--corpus" when File.Exists(value) => this with { Corpus = value },
            "--schedule" when File.Exists(value) => this with { Schedule = value },
            _ => null,
        };
    }
}
