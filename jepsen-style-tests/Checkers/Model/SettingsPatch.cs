using RaftQueue.MessagePack;

namespace RaftQueue.Checkers.Model;

/// <summary>A PUT or PATCH of settings. Not given is left out of the map, given without value is nil.</summary>
public sealed record SettingsPatch
{
    public bool ReplaceAll { get; init; }
    public (bool Given, long? Value) KeepFinished { get; init; }
    public (bool Given, bool Value) UniqueBy { get; init; }
    public bool DefaultsNil { get; init; }
    public List<(string Name, long? Value)> Defaults { get; init; } = [];

    /// <summary>Defaults that are no numbers, as <see cref="ModelMap"/> has them.</summary>
    public List<(string Name, object? Value)> OtherDefaults { get; init; } = [];

    public ModelMap ToMap()
    {
        var map = new ModelMap();
        if (KeepFinished.Given) map.Set("keepFinished", KeepFinished.Value);
        if (UniqueBy.Given) map.Set("uniqueBy", UniqueBy.Value ? new[] { "/k" } : null);
        if (DefaultsNil) map.Set("defaults", null);
        if (DefaultsNil || Defaults.Count + OtherDefaults.Count == 0) return map;
        var defaults = new ModelMap();
        foreach ((string name, long? value) in Defaults) defaults.Set(name, value);
        foreach ((string name, object? value) in OtherDefaults) defaults.Set(name, value);
        map.Set("defaults", defaults);
        return map;
    }

    public void Write(in MessagePackWriter writer) => ToMap().Write(writer);
}
