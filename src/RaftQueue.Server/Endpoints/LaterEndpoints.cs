using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>Addresses of the interface that this version does not serve: they say so instead of pretending to be unknown.</summary>
internal static class LaterEndpoints
{
    private static readonly string[] Addresses =
    [
        "DELETE /v1/queues/{queue}", "POST /v1/queues/{queue}/pause", "POST /v1/queues/{queue}/resume",
        "POST /v1/queues/{queue}/purge", "POST /v1/queues/{queue}/redrive",
        "GET /v1/jobs", "POST /v1/jobs/bulk", "POST /v1/jobs/{id}/retry", "PATCH /v1/jobs/{id}",
        "GET /v1/operations/{id}",
        "GET /v1/schedules", "GET /v1/schedules/{name}", "PUT /v1/schedules/{name}", "DELETE /v1/schedules/{name}",
        "POST /v1/schedules/{name}/run", "POST /v1/schedules/{name}/pause", "POST /v1/schedules/{name}/resume",
        "GET /v1/events",
        "GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{name}",
        "POST /v1/cluster/members", "DELETE /v1/cluster/members/{id}", "POST /v1/cluster/leader",
        "POST /v1/cluster/checkpoint", "GET /v1/cluster/backup",
    ];

    public static void Map(IEndpointRouteBuilder routes, ServerContext server)
    {
        foreach (string address in Addresses)
        {
            string[] parts = address.Split(' ');
            RequestDelegate handler = Handling.Of(server, exchange => exchange.WriteAsync(Problem.NotYet(address)));
            if (HttpMethods.IsGet(parts[0])) routes.MapLook(parts[1], handler);
            else routes.MapMethods(parts[1], [parts[0]], handler);
        }
    }
}
