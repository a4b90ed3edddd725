using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What the command line asks for.</summary>
internal sealed record RunnerOptions
{
    public const string Usage = """
        usage: dotnet run -c Release --project jepsen-style-tests/Simulation -- WHAT [OPTION...]
          --minutes N                 fresh seeds for so long, one run in five made by FsCheck
          --seeds N [--first SEED]    so many seeds, one after the other (fresh ones without --first)
          --corpus FILE               the seeds of a file, one a line, # begins a remark
          --fixed N                   seeds 1 to N; this and --corpus go first when given together with --seeds or --minutes
          --property N [--replay R]   so many runs that FsCheck makes, from its replay number R on (a fresh one without); a failure is
                                      made small. Also together with the seeds above
          --seed SEED [--verbose] [--schedule FILE]
                                      one seed again, with all that happens, with these faults instead of the drawn ones
          --schedule FILE [--verbose] alone: the whole run that a failure left in a file
          --shrink SEED or FILE       a failing run made as small as it still fails
          --planted [BUG...]          which planted mistakes are caught by the runs made for them
          --planted --plain [BUG...]  after how many plain seeds each is caught
        options:
          --workers N                 threads, each with a cluster of its own; as many as there are cores
          --bug BUG                   with --seed, --schedule or --shrink in the configuration Planted: with this mistake
        exit code: 0 all passed, 1 something failed, 2 wrong usage
        """;

    private const int MostWorkers = 256;

    public double? Minutes { get; init; }

    public ulong? Seeds { get; init; }

    public ulong? First { get; init; }

    public string? Corpus { get; init; }

    public ulong? Fixed { get; init; }

    /// <summary>How many runs FsCheck makes.</summary>
    public ulong? Property { get; init; }

    /// <summary>FsCheck's replay number of the first of them.</summary>
    public ulong? Replay { get; init; }

    public ulong? Seed { get; init; }

    public bool Verbose { get; init; }

    public string? Schedule { get; init; }

    /// <summary>A seed's number or a file.</summary>
    public string? Shrink { get; init; }

    /// <summary>The mistakes that are asked for, none for all; null when nobody asks for them.</summary>
    public IReadOnlyList<string>? Planted { get; init; }

    public bool Plain { get; init; }

    public string? Bug { get; init; }

    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Null when the arguments make no sense; <paramref name="error"/> then says why.</summary>
    public static RunnerOptions? Parse(IReadOnlyList<string> arguments, out string error)
    {
        RunnerOptions? options = new();
        error = "";
        for (int at = 0; at < arguments.Count && options is not null; at++)
        {
            string name = arguments[at];
            if (options.Planted is { } bugs && !name.StartsWith('-'))
            {
                options = options with { Planted = [.. bugs, name] };
                continue;
            }

            if (options.WithFlag(name) is { } flagged) options = flagged;
            else if (!IsOption(name)) (options, error) = (null, $"'{name}' is not an option");
            else if (at + 1 == arguments.Count) (options, error) = (null, $"{name} needs a value");
            else options = options.With(name, arguments[++at], out error);
        }

        if (options is null) return null;
        error = options.Contradiction() ?? "";
        return error.Length == 0 ? options : null;
    }

    private static bool IsOption(string name) =>
        name is "--minutes" or "--seeds" or "--first" or "--fixed" or "--corpus" or "--property" or "--replay"
            or "--seed" or "--schedule" or "--shrink" or "--bug" or "--workers";

    private RunnerOptions? WithFlag(string name) => name switch
    {
        "--verbose" => this with { Verbose = true },
        "--planted" => this with { Planted = [] },
        "--plain" => this with { Plain = true },
        _ => null,
    };

    private RunnerOptions? With(string name, string value, out string error)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        bool isNumber = ulong.TryParse(value, NumberStyles.None, culture, out ulong number);
        bool isPositive = isNumber && number > 0;
        error = name switch
        {
            "--minutes" => $"--minutes is a number above 0, not '{value}'",
            "--workers" => $"--workers is a whole number from 1 to {MostWorkers}, not '{value}'",
            "--seeds" or "--fixed" or "--property" => $"{name} is a whole number from 1 on, not '{value}'",
            "--first" or "--seed" => $"{name} is a seed, a whole number from 0 on, not '{value}'",
            "--replay" => $"--replay is a number below 2^63, not '{value}'",
            _ => $"{name}: there is no file '{value}'",
        };
        return name switch
        {
            "--minutes" when double.TryParse(value, NumberStyles.AllowDecimalPoint, culture, out double minutes) && minutes > 0 => this with { Minutes = minutes },
            "--seeds" when isPositive => this with { Seeds = number },
            "--first" when isNumber => this with { First = number },
            "--fixed" when isPositive => this with { Fixed = number },
            "--property" when isPositive => this with { Property = number },
            "--replay" when isNumber && number <= long.MaxValue => this with { Replay = number },
            "--seed" when isNumber => this with { Seed = number },
            "--workers" when isPositive && number <= MostWorkers => this with { Workers = (int)number },
            "--corpus" when File.Exists(value) => this with { Corpus = value },
            "--schedule" when File.Exists(value) => this with { Schedule = value },
            "--shrink" when isNumber || File.Exists(value) => this with { Shrink = value },
            "--bug" => this with { Bug = value },
            _ => null,
        };
    }

    /// <summary>What does not go together, in words; null when all does.</summary>
    private string? Contradiction()
    {
        bool many = Minutes is not null || Seeds is not null || Corpus is not null || Fixed is not null || Property is not null;
        bool ofFile = Schedule is not null && Seed is null;
        int asked = (many ? 1 : 0) + (Seed is not null ? 1 : 0) + (ofFile ? 1 : 0) + (Shrink is not null ? 1 : 0) + (Planted is not null ? 1 : 0);
        if (asked == 0) return "nothing is asked for";
        if (asked > 1) return "only one of many seeds, one seed, a file, shrinking and planted mistakes at a time";
        if (First is not null && Seeds is null && Minutes is null) return "--first goes with --seeds or --minutes";
        if (Replay is not null && Property is null) return "--replay goes with --property";
        if (Verbose && Seed is null && !ofFile) return "--verbose goes with --seed or --schedule";
        if (Plain && Planted is null) return "--plain goes with --planted";
        return Bug is not null && (many || Planted is not null) ? "--bug goes with --seed, --schedule or --shrink" : null;
    }
}
