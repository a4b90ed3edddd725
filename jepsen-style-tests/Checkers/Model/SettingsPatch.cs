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

    public void Apply(ModelSettings settings)
    {
        if (ReplaceAll)
        {
            settings.KeepFinished = null;
            settings.UniqueBy = false;
            settings.Defaults.Clear();
        }

        if (KeepFinished.Given) settings.KeepFinished = KeepFinished.Value;
        if (UniqueBy.Given) settings.UniqueBy = UniqueBy.Value;
        if (DefaultsNil) settings.Defaults.Clear();
        foreach ((string name, long? value) in Defaults)
        {
            if (value is { } given) settings.Defaults[name] = given;
            else settings.Defaults.Remove(name);
        }
    }

    public void Write(in MessagePackWriter writer)
    {
        bool defaults = DefaultsNil || Defaults.Count > 0;
        writer.WriteMapHeader((KeepFinished.Given ? 1 : 0) + (UniqueBy.Given ? 1 : 0) + (defaults ? 1 : 0));
        if (KeepFinished.Given)
        {
            writer.WriteString("keepFinished");
            WriteNumber(writer, KeepFinished.Value);
        }

        if (UniqueBy.Given)
        {
            writer.WriteString("uniqueBy");
            if (UniqueBy.Value)
            {
                writer.WriteArrayHeader(1);
                writer.WriteString("/k");
            }
            else
            {
                writer.WriteNil();
            }
        }

        if (!defaults) return;
        writer.WriteString("defaults");
        if (DefaultsNil)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteMapHeader(Defaults.Count);
        foreach ((string name, long? value) in Defaults)
        {
            writer.WriteString(name);
            WriteNumber(writer, value);
        }
    }

    private static void WriteNumber(in MessagePackWriter writer, long? value)
    {
        if (value is { } given) writer.WriteInt64(given);
        else writer.WriteNil();
    }
}
