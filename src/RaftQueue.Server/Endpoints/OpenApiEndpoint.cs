using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>GET /openapi/v1.json</c>: the description of this interface, as it stands beside the code.</summary>
internal static class OpenApiEndpoint
{
    private const string ResourceName = "RaftQueue.Server.OpenApi.v1.json";
    private static readonly Lazy<byte[]> Document = new(Read);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapLook("/openapi/v1.json", static async (HttpContext http) =>
    {
        http.Response.ContentType = MediaTypes.Json;
        http.Response.ContentLength = Document.Value.Length;
        await http.Response.BodyWriter.WriteAsync(Document.Value, http.RequestAborted).ConfigureAwait(false);
    });

    private static byte[] Read()
    {
        using Stream stream = typeof(OpenApiEndpoint).Assembly.GetManifestResourceStream(ResourceName)!;
        byte[] document = new byte[stream.Length];
        stream.ReadExactly(document);
        return document;
    }
}
