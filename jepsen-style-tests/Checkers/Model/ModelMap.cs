using System.Text;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers.Model;

/// <summary>
/// An object of settings: its values are <see cref="long"/>, <see cref="string"/>, arrays of strings, and further objects; null, in a
/// patch, takes a field away.
/// </summary>
public sealed class ModelMap
{
    private readonly SortedDictionary<string, object?> _fields = new(StringComparer.Ordinal);

    /// <summary>Null where there is no such field.</summary>
    public object? this[string name]
    {
        get => _fields.GetValueOrDefault(name);
        init => _fields[name] = value;
    }

    public bool IsEmpty => _fields.Count == 0;

    /// <summary>Names and values where all values are strings, in the order of the names.</summary>
    public string[] Pairs => [.. _fields.SelectMany(pair => new[] { pair.Key, (string)pair.Value! })];

    public void Set(string name, object? value) => _fields[name] = value;

    /// <summary>What RFC 7396 (JSON merge patch) makes of an object and a patch.</summary>
    public static ModelMap Merge(ModelMap? target, ModelMap patch)
    {
        ArgumentNullException.ThrowIfNull(patch);
        var merged = new ModelMap();
        if (target is not null)
        {
            foreach ((string name, object? value) in target._fields) merged._fields[name] = value;
        }

        foreach ((string name, object? value) in patch._fields)
        {
            if (value is null) merged._fields.Remove(name);
            else if (value is ModelMap inner) merged._fields[name] = Merge(merged[name] as ModelMap, inner);
            else merged._fields[name] = value;
        }

        return merged;
    }

    public static ModelMap Read(ReadOnlySpan<byte> encoded)
    {
        var reader = new MessagePackReader(encoded);
        return Read(ref reader);
    }

    public void Write(in MessagePackWriter writer)
    {
        writer.WriteMapHeader(_fields.Count);
        foreach ((string name, object? value) in _fields)
        {
            writer.WriteString(name);
            switch (value)
            {
                case null:
                    writer.WriteNil();
                    break;
                case long number:
                    writer.WriteInt64(number);
                    break;
                case string text:
                    writer.WriteString(text);
                    break;
                case ModelMap inner:
                    inner.Write(writer);
                    break;
                default:
                    string[] texts = (string[])value;
                    writer.WriteArrayHeader(texts.Length);
                    foreach (string text in texts) writer.WriteString(text);
                    break;
            }
        }
    }

    /// <summary>The same text for the same fields in any order.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach ((string name, object? value) in _fields)
            text.Append(name).Append(':').Append(value is string[] texts ? $"[{string.Join(',', texts)}]" : value).Append(' ');
        return text.Append('}').ToString();
    }

    private static ModelMap Read(ref MessagePackReader reader)
    {
        Require.Readable(reader.TryReadMapHeader(out int count));
        var map = new ModelMap();
        for (int i = 0; i < count; i++)
        {
            Require.Readable(reader.TryReadText(out string? name));
            map._fields[name!] = ReadValue(ref reader);
        }

        return map;
    }

    private static object? ReadValue(ref MessagePackReader reader)
    {
        switch (reader.NextType)
        {
            case MessagePackType.Nil:
                Require.Readable(reader.TryReadNil());
                return null;
            case MessagePackType.Integer:
                Require.Readable(reader.TryReadInt64(out long number));
                return number;
            case MessagePackType.String:
                Require.Readable(reader.TryReadText(out string? text));
                return text;
            case MessagePackType.Map:
                return Read(ref reader);
            default:
                Require.Readable(reader.TryReadArrayHeader(out int count));
                string[] texts = new string[count];
                for (int i = 0; i < count; i++)
                {
                    Require.Readable(reader.TryReadText(out string? each));
                    texts[i] = each!;
                }

                return texts;
        }
    }
}
