using System.Globalization;
using System.Text.Json.Nodes;

namespace RaftQueue.MessagePack.Tests;

/// <summary>A value of the format as a tree, so that tests can generate, write, read and compare it.</summary>
public abstract record Value
{
    public sealed record Nil : Value;

    public sealed record Bool(bool Is) : Value;

    /// <summary>From <see cref="long.MinValue"/> to <see cref="ulong.MaxValue"/>.</summary>
    public sealed record Integer(Int128 Is) : Value;

    public sealed record Text(string Is) : Value;

    public sealed record Bytes(string Hex) : Value;

    public sealed record List(Seq<Value> Items) : Value;

    /// <summary>Keys and values in turn.</summary>
    public sealed record Map(Seq<Value> Items) : Value;

    public sealed record Float(double Is) : Value;

    public void WriteTo(MessagePackWriter writer)
    {
        switch (this)
        {
            case Nil: writer.WriteNil(); break;
            case Bool value: writer.WriteBool(value.Is); break;
            case Integer value when value.Is >= 0: writer.WriteUInt64((ulong)value.Is); break;
            case Integer value: writer.WriteInt64((long)value.Is); break;
            case Text value: writer.WriteString(value.Is); break;
            case Bytes value: writer.WriteBinary(Convert.FromHexString(value.Hex)); break;
            case List value:
                writer.WriteArrayHeader(value.Items.Count);
                foreach (Value item in value.Items) item.WriteTo(writer);
                break;
            case Map value:
                writer.WriteMapHeader(value.Items.Count / 2);
                foreach (Value item in value.Items) item.WriteTo(writer);
                break;
            default: throw new InvalidOperationException("The writer has no floats.");
        }
    }

    public byte[] Encode()
    {
        using var buffer = new PooledBuffer();
        WriteTo(new MessagePackWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    public static Value? Read(ref MessagePackReader reader)
    {
        switch (reader.NextType)
        {
            case MessagePackType.Nil: return reader.TryReadNil() ? new Nil() : null;
            case MessagePackType.Bool: return reader.TryReadBool(out bool flag) ? new Bool(flag) : null;
            case MessagePackType.Float: return reader.TryReadDouble(out double real) ? new Float(real) : null;
            case MessagePackType.String: return reader.TryReadText(out string? text) ? new Text(text!) : null;
            case MessagePackType.Binary:
                return reader.TryReadBinary(out ReadOnlySpan<byte> bytes) ? new Bytes(Convert.ToHexString(bytes)) : null;
            case MessagePackType.Integer:
                if (reader.TryReadInt64(out long signed)) return new Integer(signed);
                return reader.TryReadUInt64(out ulong unsigned) ? new Integer(unsigned) : null;
            case MessagePackType.Array:
                return reader.TryReadArrayHeader(out int count) && ReadItems(ref reader, count) is { } list ? new List(list) : null;
            case MessagePackType.Map:
                return reader.TryReadMapHeader(out int pairs) && ReadItems(ref reader, 2 * pairs) is { } map ? new Map(map) : null;
            default: return null;
        }
    }

    private static Seq<Value>? ReadItems(ref MessagePackReader reader, int count)
    {
        var items = new List<Value>();
        for (int i = 0; i < count; i++)
        {
            if (Read(ref reader) is not { } item) return null;
            items.Add(item);
        }

        return new Seq<Value>([.. items]);
    }

    /// <summary>As one JSON value that keeps types apart: {"i":"-1"}, {"s":"text"}, {"b":"00FF"}, {"f":1.5}, {"a":[...]}, {"m":[...]}.</summary>
    public JsonNode? ToJson() => this switch
    {
        Nil => null,
        Bool value => JsonValue.Create(value.Is),
        Integer value => new JsonObject { ["i"] = value.Is.ToString(CultureInfo.InvariantCulture) },
        Text value => new JsonObject { ["s"] = value.Is },
        Bytes value => new JsonObject { ["b"] = value.Hex },
        Float value => new JsonObject { ["f"] = value.Is },
        List value => new JsonObject { ["a"] = new JsonArray([.. value.Items.Select(item => item.ToJson())]) },
        Map value => new JsonObject { ["m"] = new JsonArray([.. value.Items.Select(item => item.ToJson())]) },
        _ => throw new InvalidOperationException(),
    };

    public static Value FromJson(JsonNode? node)
    {
        if (node is null) return new Nil();
        if (node is JsonValue flag) return new Bool(flag.GetValue<bool>());
        (string kind, JsonNode? content) = node.AsObject().Single();
        return kind switch
        {
            "i" => new Integer(Int128.Parse(content!.GetValue<string>(), CultureInfo.InvariantCulture)),
            "s" => new Text(content!.GetValue<string>()),
            "b" => new Bytes(content!.GetValue<string>()),
            "f" => new Float(content!.GetValue<double>()),
            "a" => new List(new Seq<Value>([.. content!.AsArray().Select(FromJson)])),
            "m" => new Map(new Seq<Value>([.. content!.AsArray().Select(FromJson)])),
            _ => throw new InvalidOperationException(kind),
        };
    }
}
