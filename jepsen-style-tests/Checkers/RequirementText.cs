using System.Runtime.CompilerServices;

namespace RaftQueue.Checkers;

/// <summary>Formats the text of a requirement only when it does not hold: checkers state millions that do.</summary>
[InterpolatedStringHandler]
public ref struct RequirementText
{
    private DefaultInterpolatedStringHandler _text;
    private readonly bool _wanted;

    public RequirementText(int literalLength, int formattedCount, bool holds, out bool wanted)
    {
        _wanted = wanted = !holds;
        _text = wanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    public override readonly string ToString() => _wanted ? _text.ToString() : "";
}
