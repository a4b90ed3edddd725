using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace RaftQueue.Server.Endpoints;

/// <summary>Addresses that are looked at: GET, and HEAD, which is GET without the body (RFC 9110, 9.3.2).</summary>
internal static class LookRoutes
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>The HTTP server leaves out the body of an answer to HEAD and keeps its length.</summary>
    public static void MapLook(this IEndpointRouteBuilder routes, string address, RequestDelegate handler) =>
        routes.MapMethods(address, Methods, handler);
}
