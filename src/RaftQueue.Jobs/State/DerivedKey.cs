using System.Security.Cryptography;
using System.Text.Json;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// The unique key that a queue's <c>uniqueBy</c> makes of a payload: a JSON array of the values at the pointers (RFC 6901), without
/// white space; what is not there counts as null. Longer than a key may be, it becomes the SHA-256 of that text. Numbers count
/// as they are written; of equal names in an object the last counts.
/// </summary>
internal sealed class DerivedKey : IDisposable
{
    private const int MaxDepth = 512;
    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };
    private readonly PooledBuffer _key = new();
    private readonly ScratchBuffer _token = new();
    private readonly ScratchBuffer _name = new();

    /// <summary>The span is valid until the next call.</summary>
    public ReadOnlySpan<byte> Of(IReadOnlyList<byte[]> pointers, PayloadKind kind, ReadOnlySpan<byte> payload)
    {
        _key.Clear();
        Append((byte)'[');
        for (int i = 0; i < pointers.Count; i++)
        {
            if (i > 0) Append((byte)',');
            int start = _key.Length;
            if (kind == PayloadKind.Json && TryAppendValue(pointers[i], payload)) continue;
            _key.Truncate(start);
            _key.Write("null"u8);
        }

        Append((byte)']');
        return _key.Length <= JobLimits.MaxKeyBytes ? _key.WrittenSpan : Digest();
    }

    public void Dispose() => _key.Dispose();

    private ReadOnlySpan<byte> Digest()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_key.WrittenSpan, hash);
        _key.Clear();
        _key.Write("sha256:"u8);
        foreach (byte value in hash)
        {
            Append("0123456789abcdef"u8[value >> 4]);
            Append("0123456789abcdef"u8[value & 15]);
        }

        return _key.WrittenSpan;
    }

    /// <summary>False when the value is not there, and for text that is no JSON: that is checked long before, but apply never fails.</summary>
    private bool TryAppendValue(ReadOnlySpan<byte> pointer, ReadOnlySpan<byte> payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload, Options);
            return reader.Read() && TryFollow(pointer, ref reader) && AppendValue(ref reader);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Moves from the value the reader stands on to the one that the rest of the pointer names.</summary>
    private bool TryFollow(ReadOnlySpan<byte> pointer, scoped ref Utf8JsonReader reader)
    {
        while (!pointer.IsEmpty)
        {
            pointer = pointer[1..];
            int end = pointer.IndexOf((byte)'/');
            ReadOnlySpan<byte> part = end < 0 ? pointer : pointer[..end];
            pointer = end < 0 ? default : pointer[end..];
            bool found = reader.TokenType switch
            {
                JsonTokenType.StartObject => TryEnterObject(part, ref reader),
                JsonTokenType.StartArray => TryEnterArray(part, ref reader),
                _ => false,
            };
            if (!found) return false;
        }

        return true;
    }

    private bool TryEnterObject(ReadOnlySpan<byte> part, scoped ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = Unescape(part);
        Utf8JsonReader last = default;
        bool found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool matches = reader.ValueTextEquals(name);
            if (!reader.Read()) return false;
            if (matches)
            {
                last = reader;
                found = true;
            }

            reader.Skip();
        }

        if (found) reader = last;
        return found;
    }

    private static bool TryEnterArray(ReadOnlySpan<byte> part, scoped ref Utf8JsonReader reader)
    {
        bool number = System.Buffers.Text.Utf8Parser.TryParse(part, out int wanted, out int used) && used == part.Length;
        if (!number || wanted < 0 || (part.Length > 1 && part[0] == '0') || part[0] is (byte)'+' or (byte)'-') return false;
        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (i == wanted) return true;
            reader.Skip();
        }

        return false;
    }

    /// <summary>RFC 6901 section 4: ~1 is a slash, ~0 a tilde.</summary>
    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> part)
    {
        if (!part.Contains((byte)'~')) return part;
        Span<byte> name = _name.Take(part.Length);
        int length = 0;
        for (int i = 0; i < part.Length; i++)
        {
            bool escape = part[i] == '~' && i + 1 < part.Length && part[i + 1] is (byte)'0' or (byte)'1';
            name[length++] = !escape ? part[i] : part[i + 1] == '1' ? (byte)'/' : (byte)'~';
            if (escape) i++;
        }

        return name[..length];
    }

    /// <summary>Appends the value the reader stands on, token by token.</summary>
    private bool AppendValue(scoped ref Utf8JsonReader reader)
    {
        int depth = 0;
        bool comma = false;
        do
        {
            bool closes = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
            if (comma && !closes) Append((byte)',');
            comma = true;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    depth++;
                    comma = false;
                    Append(reader.ValueSpan[0]);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    depth--;
                    Append(reader.ValueSpan[0]);
                    break;
                case JsonTokenType.PropertyName:
                    AppendString(ref reader);
                    Append((byte)':');
                    comma = false;
                    break;
                case JsonTokenType.String:
                    AppendString(ref reader);
                    break;
                default:
                    _key.Write(reader.ValueSpan);
                    break;
            }
        }
        while (depth > 0 && reader.Read());
        return depth == 0;
    }

    private void AppendString(scoped ref Utf8JsonReader reader)
    {
        Invariant.That(!reader.HasValueSequence, "payloads are read from one span");
        Span<byte> text = _token.Take(reader.ValueSpan.Length);
        text = text[..reader.CopyString(text)];
        Append((byte)'"');
        foreach (byte value in text)
        {
            if (value is (byte)'"' or (byte)'\\') Append((byte)'\\');
            if (value < 0x20)
            {
                _key.Write("\\u00"u8);
                Append("0123456789abcdef"u8[value >> 4]);
                Append("0123456789abcdef"u8[value & 15]);
            }
            else
            {
                Append(value);
            }
        }

        Append((byte)'"');
    }

    private void Append(byte value)
    {
        _key.GetSpan(1)[0] = value;
        _key.Advance(1);
    }
}
