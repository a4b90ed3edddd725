using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RaftQueue.Server.Tests.Support;

/// <summary>A reply as it came.</summary>
public sealed record Reply(int Status, HttpResponseMessage Message, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonNode Json => JsonNode.Parse(Body)!;

    public string? Code => Json["code"]?.GetValue<string>();

    public string? Header(string name) => Message.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(",", values) : null;

    /// <summary>The pointers of the problem's errors, in order.</summary>
    public IEnumerable<string> Pointers => Json["errors"]?.AsArray().Select(error => error!["pointer"]!.GetValue<string>()) ?? [];
}

/// <summary>Short ways to say requests.</summary>
public static class Requests
{
    public static Task<Reply> PostAsync(this HttpClient http, string path, string json, params (string Name, string Value)[] headers) =>
        http.SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), "application/json", headers);

    public static Task<Reply> GetReplyAsync(this HttpClient http, string path) => http.SendAsync(HttpMethod.Get, path, null, null);

    public static async Task<Reply> SendAsync(
        this HttpClient http, HttpMethod method, string path, byte[]? body, string? type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        foreach ((string name, string value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        HttpResponseMessage reply = await http.SendAsync(request);
        return new Reply((int)reply.StatusCode, reply, await reply.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Text as a JSON string.</summary>
    public static string Quoted(string text) => JsonSerializer.Serialize(text);
}
