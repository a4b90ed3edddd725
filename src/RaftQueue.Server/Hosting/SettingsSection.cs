using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace RaftQueue.Server.Hosting;

/// <summary>
/// Reads one section of the configuration, each setting by its name, and in the end refuses what nobody asked for. All
/// methods throw <see cref="SettingsException"/>.
/// </summary>
internal sealed class SettingsSection(IConfigurationSection section)
{
    private readonly SortedSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The whole name of a setting, as on the command line.</summary>
    public string PathOf(string name) => $"{section.Path}:{name}";

    public bool Has(string name) => Find(name) is { } found && (found.Value is not null || found.GetChildren().Any());

    public string Text(string name, string mayBe, Predicate<string> isValid, string? absent = null)
    {
        string? value = Scalar(name, mayBe) ?? absent;
        if (value is null) throw new SettingsException($"{PathOf(name)} is missing; it must be {mayBe}.");
        return isValid(value) ? value : throw Wrong(name, value, mayBe);
    }

    public int Integer(string name, int min, int max, int? absent = null) => (int)Long(name, min, max, absent);

    public long Long(string name, long min, long max, long? absent = null)
    {
        string mayBe = $"an integer from {min} to {max}";
        string? value = Scalar(name, mayBe);
        if (value is null) return absent ?? throw new SettingsException($"{PathOf(name)} is missing; it must be {mayBe}.");
        bool isNumber = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number);
        return isNumber && number >= min && number <= max ? number : throw Wrong(name, value, mayBe);
    }

    public bool Bool(string name, bool absent)
    {
        string? value = Scalar(name, "true or false");
        if (value is null) return absent;
        return bool.TryParse(value, out bool truth) ? truth : throw Wrong(name, value, "true or false");
    }

    /// <summary>A section below; its settings are read from what is returned.</summary>
    public SettingsSection Section(string name)
    {
        _known.Add(name);
        IConfigurationSection child = section.GetSection(name);
        if (child.Value is { Length: > 0 } value) throw Wrong(name, value, "a section with settings of its own");
        return new SettingsSection(child);
    }

    /// <summary>The elements of an array, in order.</summary>
    public IReadOnlyList<SettingsSection> Items(string name, string mayBe)
    {
        _known.Add(name);
        IConfigurationSection child = section.GetSection(name);
        if (child.Value is { Length: > 0 } value) throw Wrong(name, value, mayBe);
        var items = child.GetChildren().ToList();
        foreach (IConfigurationSection item in items)
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                throw new SettingsException($"{item.Path} is not a setting; {PathOf(name)} is {mayBe}.");
        }

        return [.. items.OrderBy(item => int.Parse(item.Key, CultureInfo.InvariantCulture)).Select(item => new SettingsSection(item))];
    }

    /// <summary>A setting that a later version has.</summary>
    public void NotYet(string name)
    {
        _known.Add(name);
        if (!Has(name)) return;
        string value = Find(name)!.Value is { } text ? $" (\"{text}\")" : "";
        throw new SettingsException($"{PathOf(name)}{value} is not available yet in this version; leave it out.");
    }

    /// <summary>After the last setting was read: names what else stands here.</summary>
    public void RefuseUnknown()
    {
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (_known.Contains(child.Key)) continue;
            string value = child.Value is { } text ? $" (\"{text}\")" : "";
            throw new SettingsException($"{child.Path}{value} is not a setting; {section.Path} may have {string.Join(", ", _known)}.");
        }
    }

    public SettingsException Wrong(string name, string value, string mayBe) => new($"{PathOf(name)} is \"{value}\"; it must be {mayBe}.");

    private IConfigurationSection? Find(string name) =>
        section.GetChildren().FirstOrDefault(child => string.Equals(child.Key, name, StringComparison.OrdinalIgnoreCase));

    private string? Scalar(string name, string mayBe)
    {
        _known.Add(name);
        IConfigurationSection? found = Find(name);
        if (found is null) return null;
        if (found.GetChildren().Any()) throw new SettingsException($"{PathOf(name)} is a section or a list; it must be {mayBe}.");
        return found.Value ?? "";
    }
}
