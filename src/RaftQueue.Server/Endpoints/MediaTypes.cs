using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>Which format a request's body has and which one its reply wants.</summary>
internal static class MediaTypes
{
    public const string Json = "application/json";
    public const string MessagePack = "application/msgpack";
    public const string Problem = "application/problem+json";
    private const string MergePatch = "application/merge-patch+json";

    /// <summary>Null: not one that this address takes.</summary>
    /// <param name="withPack">MessagePack is spoken here.</param>
    public static BodyFormat? FormatOf(HttpRequest request, bool withPack)
    {
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity") return null;
        string? text = request.ContentType;
        if (text is Json) return BodyFormat.Json;
        if (!MediaTypeHeaderValue.TryParse(text, out MediaTypeHeaderValue? type)) return null;
        if (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && !type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase)) return null;
        if (type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase)) return BodyFormat.Json;
        if (withPack && type.MediaType.Equals(MessagePack, StringComparison.OrdinalIgnoreCase)) return BodyFormat.MessagePack;
        bool isPatch = HttpMethods.IsPatch(request.Method) && type.MediaType.Equals(MergePatch, StringComparison.OrdinalIgnoreCase);
        return isPatch ? BodyFormat.Json : null;
    }

    /// <summary>The reply's format: what <c>Accept</c> names first, else the body's.</summary>
    public static BodyFormat ReplyFormat(HttpRequest request, BodyFormat body)
    {
        foreach (string? value in request.Headers.Accept)
        {
            foreach (string part in (value ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                string type = part.Split(';', 2)[0].TrimEnd();
                if (type.Equals(MessagePack, StringComparison.OrdinalIgnoreCase)) return BodyFormat.MessagePack;
                if (type.Equals(Json, StringComparison.OrdinalIgnoreCase)) return BodyFormat.Json;
            }
        }

        return body;
    }
}
