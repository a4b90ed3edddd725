using System.Globalization;
using System.Text.Json;

namespace RaftQueue.Server.Contracts;

/// <summary>What goes before and around every parser of a body.</summary>
public static class BodyParsing
{
    /// <summary>
    /// Reads the one value that is the body of <paramref name="request"/>. Null when nothing is wrong; otherwise what the reply
    /// says, with every error found (a body that is broken as a whole has only that one).
    /// </summary>
    public static Problem? Run(BodyRequest request, RequestScratch scratch, BodyFormat format)
    {
        scratch.Errors.Clear();
        ReadOnlySpan<byte> body = scratch.Body.WrittenSpan;
        if (format == BodyFormat.Json && TextRules.Check(body, out int at) is { } wrong)
        {
            return Problem.Invalid(PointerAt(body, at), $"The text at byte {Text(at)} of the body {wrong}.");
        }

        try
        {
            var reader = new ValueReader(body, format);
            request.Read(ref reader);
            reader.End();
            return scratch.Errors.Any ? Problem.Invalid(scratch.Errors) : null;
        }
        catch (JsonException exception)
        {
            return Problem.Invalid("", $"The body is not valid JSON: {Plain(exception)}");
        }
        catch (BrokenBodyException exception)
        {
            string name = format == BodyFormat.Json ? "JSON" : "MessagePack";
            return Problem.Invalid("", $"The body is not valid {name}: it {exception.Message}.");
        }
    }

    /// <summary>Why text is not one JSON value, or null when it is.</summary>
    public static string? SyntaxError(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = RequestLimits.MaxDepth });
        try
        {
            reader.Read();
            reader.Skip();
            return reader.Read() ? "must be one JSON value" : null;
        }
        catch (JsonException exception)
        {
            return $"must be JSON text: {Plain(exception)}";
        }
    }

    /// <summary>The pointer of the value or name that covers a byte; as deep as the body can be read. For messages only.</summary>
    public static string PointerAt(ReadOnlySpan<byte> json, int position)
    {
        var path = new List<(string? Name, int Index, bool IsArray)>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = RequestLimits.MaxDepth });
        try
        {
            while (reader.Read() && reader.BytesConsumed <= position) Follow(ref reader, path);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The trouble itself: the path up to it is what was asked for.
            return Join(path);
        }

        return Join(path);
    }

    private static void Follow(ref Utf8JsonReader reader, List<(string? Name, int Index, bool IsArray)> path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                path[^1] = (reader.GetString(), 0, false);
                return;
            case JsonTokenType.StartObject:
                path.Add((null, 0, false));
                return;
            case JsonTokenType.StartArray:
                path.Add((null, 0, true));
                return;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                path.RemoveAt(path.Count - 1);
                break;
        }

        if (path.Count > 0 && path[^1].IsArray) path[^1] = (null, path[^1].Index + 1, true);
    }

    private static string Join(List<(string? Name, int Index, bool IsArray)> path) => string.Concat(path
        .Where(part => part.IsArray || part.Name is not null)
        .Select(part => "/" + (part.IsArray ? Text(part.Index) : RequestErrors.Escape(part.Name!))));

    /// <summary>The reader's message without its own notion of path and position behind the first sentence.</summary>
    private static string Plain(JsonException exception)
    {
        string message = exception.Message;
        int cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (cut > 0) message = message[..cut];
        return $"{message} (line {Text((exception.LineNumber ?? 0) + 1)}, byte {Text((exception.BytePositionInLine ?? 0) + 1)})";
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
