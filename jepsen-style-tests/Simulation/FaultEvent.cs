using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>
/// One fault of a <see cref="FaultSchedule"/>. <see cref="AtMs"/> counts from the start of the run, <see cref="DurationMs"/> is how
/// long it lasts (for a crash: until the node is started again), <see cref="Amount"/> is the kind's own number, and all chance inside
/// the fault (which sectors a power loss keeps) comes from <see cref="Salt"/> alone.
/// </summary>
internal sealed record FaultEvent(
    long AtMs, FaultKind Kind, FaultTarget Node, FaultTarget Other = default, long DurationMs = 0, long Amount = 0, ulong Salt = 0)
{
    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static FaultEvent Parse(string line)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string field in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int split = field.IndexOf('=', StringComparison.Ordinal);
            if (split < 0) throw new FormatException($"not a fault: '{line}'");
            fields[field[..split]] = field[(split + 1)..];
        }

        long Number(string name) => fields.TryGetValue(name, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
        return new FaultEvent(
            Number("at"),
            Enum.Parse<FaultKind>(fields["kind"]),
            FaultTarget.Parse(fields["node"]),
            fields.TryGetValue("other", out string? other) ? FaultTarget.Parse(other) : default,
            Number("for"),
            Number("amount"),
            fields.TryGetValue("salt", out string? salt) ? ulong.Parse(salt, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0);
    }

    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"at={AtMs} kind={Kind} node={Node}");
        if (Other != default) text += $" other={Other}";
        if (DurationMs != 0) text += string.Create(CultureInfo.InvariantCulture, $" for={DurationMs}");
        if (Amount != 0) text += string.Create(CultureInfo.InvariantCulture, $" amount={Amount}");
        return Salt == 0 ? text : text + string.Create(CultureInfo.InvariantCulture, $" salt={Salt:x}");
    }
}
