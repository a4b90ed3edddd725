using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// Walks over a request body in either format, straight over its bytes. It stands at a value; the caller takes that value with
/// exactly one of the Take methods, <see cref="Skip"/>, or by walking through its members or items. A Take that returns
/// false has taken nothing: skip the value. Throws <see cref="BrokenBodyException"/> or <see cref="JsonException"/> when the body is
/// neither format; <see cref="BodyParsing"/> turns both into a problem.
/// </summary>
public ref struct ValueReader
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly bool _isPack;
    private Utf8JsonReader _json;
    private MessagePackReader _pack;

    /// <summary>JSON text must have passed <see cref="TextRules.Check"/>.</summary>
    public ValueReader(ReadOnlySpan<byte> body, BodyFormat format)
    {
        _body = body;
        _isPack = format == BodyFormat.MessagePack;
        _json = default;
        _pack = default;
        if (_isPack)
        {
            _pack = new MessagePackReader(body);
            if (body.IsEmpty) throw new BrokenBodyException("is empty");
            return;
        }

        _json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = RequestLimits.MaxDepth });
        _json.Read();
    }

    public readonly BodyFormat Format => _isPack ? BodyFormat.MessagePack : BodyFormat.Json;

    /// <summary>What stands here.</summary>
    public readonly ValueKind Kind => _isPack ? PackKind(_pack.NextType) : JsonKind(_json.TokenType);

    /// <summary>After the last value: refuses anything behind it.</summary>
    public void End()
    {
        if (_isPack)
        {
            if (!_pack.IsAtEnd) throw new BrokenBodyException($"has {_pack.Remaining} bytes behind its end");
        }
        else if (_json.Read())
        {
            throw new BrokenBodyException("has more than one value");
        }
    }

    /// <summary>Opens the object that stands here; its members come from <see cref="NextMember"/>.</summary>
    public bool TryOpenObject(out int membersLeft)
    {
        membersLeft = -1;
        if (_isPack) return _pack.TryReadMapHeader(out membersLeft);
        return _json.TokenType == JsonTokenType.StartObject;
    }

    /// <summary>Goes to the next member's value and gives its name; false behind the last.</summary>
    public bool NextMember(ref int membersLeft, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (_isPack)
        {
            if (membersLeft-- == 0) return false;
            if (!_pack.TryReadString(out name)) throw Broken("has a map key that is no string");
            if (!Utf8.IsValid(name)) throw Broken("has a map key that is not valid UTF-8");
            return true;
        }

        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject) return false;
        name = _json.ValueIsEscaped ? Unescaped() : _json.ValueSpan;
        _json.Read();
        return true;
    }

    /// <summary>Opens the array that stands here; its items come from <see cref="NextItem"/>.</summary>
    public bool TryOpenArray(out int itemsLeft)
    {
        itemsLeft = -1;
        if (_isPack) return _pack.TryReadArrayHeader(out itemsLeft);
        return _json.TokenType == JsonTokenType.StartArray;
    }

    /// <summary>Goes to the next item; false behind the last.</summary>
    public bool NextItem(ref int itemsLeft)
    {
        if (_isPack) return itemsLeft-- != 0;
        _json.Read();
        return _json.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>Takes a null, if one stands here.</summary>
    public bool TryTakeNull() => _isPack ? _pack.TryReadNil() : _json.TokenType == JsonTokenType.Null;

    public bool TryTakeBool(out bool value)
    {
        if (_isPack) return _pack.TryReadBool(out value);
        value = _json.TokenType == JsonTokenType.True;
        return value || _json.TokenType == JsonTokenType.False;
    }

    /// <summary>An integer written as one: 1.0 and 1e3 are none. False also outside 64 bits.</summary>
    public bool TryTakeInteger(out long value)
    {
        if (_isPack) return _pack.TryReadInt64(out value);
        value = 0;
        return _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out value);
    }

    public bool TryTakeNumber(out double value)
    {
        if (_isPack)
        {
            if (_pack.TryReadDouble(out value)) return true;
            bool isInteger = _pack.TryReadInt64(out long integer);
            value = integer;
            return isInteger;
        }

        value = 0;
        return _json.TokenType == JsonTokenType.Number && _json.TryGetDouble(out value);
    }

    /// <summary>The text of a string, of the body where it holds no escape; valid UTF-8.</summary>
    public bool TryTakeString(out ReadOnlySpan<byte> utf8)
    {
        utf8 = default;
        if (_isPack)
        {
            MessagePackReader before = _pack;
            if (!_pack.TryReadString(out utf8)) return false;
            if (Utf8.IsValid(utf8)) return true;
            _pack = before;
            return false;
        }

        if (_json.TokenType != JsonTokenType.String) return false;
        utf8 = _json.ValueIsEscaped ? Unescaped() : _json.ValueSpan;
        return true;
    }

    /// <summary>Bytes; MessagePack only.</summary>
    public bool TryTakeBinary(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return _isPack && _pack.TryReadBinary(out bytes);
    }

    /// <summary>
    /// A value that is kept as JSON text, byte for byte: in JSON whatever stands here, in MessagePack a str of JSON text, of which
    /// <paramref name="wrong"/> says why it is none.
    /// </summary>
    public bool TryTakeJsonText(out ReadOnlySpan<byte> text, out string? wrong)
    {
        wrong = null;
        if (_isPack) return TryTakePackedJson(out text, out wrong);
        int start = (int)_json.TokenStartIndex;
        _json.Skip();
        text = _body[start..(int)_json.BytesConsumed];
        return true;
    }

    /// <summary>Passes over the value, whatever it is.</summary>
    public void Skip()
    {
        if (!_isPack) _json.Skip();
        else if (!_pack.TrySkip()) throw Broken("is cut short, or nested too deep");
    }

    private bool TryTakePackedJson(out ReadOnlySpan<byte> text, out string? wrong)
    {
        wrong = "must be a str of JSON text";
        MessagePackReader before = _pack;
        if (!_pack.TryReadString(out text)) return false;
        wrong = TextRules.Check(text, out _) ?? BodyParsing.SyntaxError(text);
        if (wrong is null) return true;
        _pack = before;
        return false;
    }

    private readonly byte[] Unescaped()
    {
        byte[] room = new byte[_json.ValueSpan.Length];
        int length = _json.CopyString(room);
        return room[..length];
    }

    private readonly BrokenBodyException Broken(string what) =>
        new($"{what}, at byte {_pack.Position.ToString(CultureInfo.InvariantCulture)}");

    private static ValueKind JsonKind(JsonTokenType token) => token switch
    {
        JsonTokenType.Null => ValueKind.Null,
        JsonTokenType.True or JsonTokenType.False => ValueKind.Bool,
        JsonTokenType.Number => ValueKind.Number,
        JsonTokenType.String => ValueKind.String,
        JsonTokenType.StartArray => ValueKind.Array,
        JsonTokenType.StartObject => ValueKind.Object,
        _ => ValueKind.Other,
    };

    private static ValueKind PackKind(MessagePackType type) => type switch
    {
        MessagePackType.Nil => ValueKind.Null,
        MessagePackType.Bool => ValueKind.Bool,
        MessagePackType.Integer or MessagePackType.Float => ValueKind.Number,
        MessagePackType.String => ValueKind.String,
        MessagePackType.Binary => ValueKind.Binary,
        MessagePackType.Array => ValueKind.Array,
        MessagePackType.Map => ValueKind.Object,
        _ => ValueKind.Other,
    };
}
